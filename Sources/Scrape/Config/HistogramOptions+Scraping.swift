import Exposition
import SeriesModel

#if canImport(Glibc)
    import Glibc
#endif

extension HistogramOptions {
    var handling: HistogramHandling {
        HistogramHandling(
            takesNative: scrapesNative, keepsClassic: alwaysScrapesClassic, convertsClassic: convertsClassic)
    }

    /// The histogram as fine as it may be.
    /// - Throws: where it has too many buckets however coarse it is made.
    func limited(_ histogram: NativeHistogram) throws(ScrapeFailure) -> NativeHistogram {
        if bucketLimit == 0, minBucketFactor <= 1 { return histogram }
        var limited = histogram
        if minBucketFactor > 1 { limited.reduceResolution(to: HistogramOptions.schemaMax(minBucketFactor)) }
        while bucketLimit > 0, limited.positive.counts.count + limited.negative.counts.count > bucketLimit {
            guard !limited.usesCustomBounds, limited.schema > NativeHistogram.exponentialSchemas.lowerBound else {
                throw ScrapeFailure(.bucketLimit, "histogram bucket limit exceeded")
            }
            limited.reduceResolution(to: limited.schema - 1)
        }
        return limited
    }

    /// The finest schema whose buckets grow at least so much from one to the next.
    private static func schemaMax(_ factor: Double) -> Int32 {
        let schemas = NativeHistogram.exponentialSchemas
        let floor = (-log2(log2(factor))).rounded(.down)
        // An infinite factor has no logarithm that counts.
        guard floor > Double(schemas.lowerBound) else { return schemas.lowerBound }
        return floor >= Double(schemas.upperBound) ? schemas.upperBound : Int32(clamping: Int64(clamping: floor) ?? 0)
    }
}

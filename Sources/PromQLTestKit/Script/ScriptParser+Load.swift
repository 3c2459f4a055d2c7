import Regexp
import SeriesModel

extension ScriptParser {
    private static let loadPattern = try? Pattern(#"load(?:_(with_nhcb))?\s+(.+?)"#)

    mutating func load(_ head: String) throws(SyntaxError) -> TestScript.Load {
        guard let groups = ScriptParser.loadPattern?.groups(in: head), groups.count > 2,
            let step = groups[2]
        else { throw error("invalid load command, must be 'load[_with_nhcb] <step>'") }
        var load = TestScript.Load(
            line: line, step: try duration(step), addsCustomBucketHistograms: groups[1] != nil, series: [])
        var indexes: [LabelSet: Int] = [:]
        while let text = nextInBlock() {
            let series = try loadedSeries(text)
            // The later line of the same labels stands for both.
            if let known = indexes[series.labels] {
                load.series[known] = series
            } else {
                indexes[series.labels] = load.series.count
                load.series.append(series)
            }
        }
        return load
    }

    private mutating func loadedSeries(_ text: String) throws(SyntaxError) -> TestScript.LoadedSeries {
        let word = text.prefix { $0 != " " && $0 != "\t" }
        guard word.hasSuffix("@st") else {
            let series = try notation(text)
            return TestScript.LoadedSeries(line: line, labels: series.labels, values: series.values, startOffsets: [])
        }
        let owner = try notation(String(word.dropLast(3)))
        guard owner.values.isEmpty else { throw error("values before @st") }
        let offsets: [Int64?]
        do {
            offsets = try StartOffsetNotation.parse(String(text.dropFirst(word.count)))
        } catch {
            throw self.error(error.description)
        }
        guard let following = nextInBlock() else { throw error("the @st line is not followed by its series") }
        let series = try notation(following)
        guard series.labels == owner.labels else {
            throw error("the @st line is for \(owner.labels), the series that follows is \(series.labels)")
        }
        guard series.values.count == offsets.count else {
            throw error("the @st line has \(offsets.count) positions, the series has \(series.values.count)")
        }
        return TestScript.LoadedSeries(
            line: line, labels: series.labels, values: series.values, startOffsets: offsets)
    }

    func notation(_ text: String) throws(SyntaxError) -> ScriptSeries {
        do {
            return try SeriesNotation.parse(text)
        } catch {
            throw self.error(error.description)
        }
    }
}

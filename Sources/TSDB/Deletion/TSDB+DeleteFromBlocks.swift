import Blocks
import HeadMemory
import SeriesModel
import StorageAPI

extension TSDB {
    /// Writes tombstones beside the blocks that hold matching series, and shows the blocks with them. Within
    /// `exclusively`.
    /// - Returns: how many series got tombstones, counted for each block.
    func deleteFromBlocks(_ matching: [[LabelMatcher]], _ range: TimeRange) throws -> Int {
        let visible = head.gate.shared { blocks.all }
        var resolution = MatcherResolution()
        var count = 0
        for block in visible where block.range.overlaps(range) {
            let series = try reportingDamage {
                PostingsList.union(try matching.map { try resolution.resolve($0, in: block.reader) })
            }
            var tombstones = block.reader.tombstones
            for number in series {
                // As upstream: the part of the range in which the series has samples.
                let held = try block.reader.timeRange(of: number)
                guard held.overlaps(range) else { continue }
                tombstones.add(
                    number, TimeRange(min: max(held.min, range.min), max: min(held.max, range.max)))
                count += 1
            }
            if tombstones == block.reader.tombstones { continue }
            try tombstones.write(fileSystem: options.fileSystem, path: block.reader.path)
            // A reader of its own: views that were taken before go on seeing what they saw.
            let marked = Block(try BlockReader(fileSystem: options.fileSystem, path: block.reader.path))
            try replaceBlocks(adding: [marked], removing: [block.identifier])
        }
        return count
    }

    /// Shows blocks in place of others, in one step.
    func replaceBlocks(adding added: [Block], removing removed: Set<BlockIdentifier>) throws {
        try committer.perform { [head, blocks] in
            head.gate.exclusive { blocks.replace(adding: added, removing: removed) }
        }
    }
}

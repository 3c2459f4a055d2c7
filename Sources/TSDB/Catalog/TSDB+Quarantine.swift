import Blocks
import FileIO
import HeadMemory
import Logging
import OwnThreads
import SelfMetrics
import SeriesModel
import StorageAPI
import StorageFiles
import Synchronization

extension TSDB {
    /// Takes note of a damage that a reader met: what is damaged is set aside soon, and the rest is served. Any thread.
    func reportDamage(_ error: any Error) {
        guard case .corruption(let file, let offset, _)? = error as? StorageError else { return }
        let parts = file.split(separator: "/")
        if let block = parts.compactMap({ BlockIdentifier(String($0)) }).last {
            damage.suspect(block)
        } else if Head.isChunkFile(file) {
            damage.suspect(chunkIn: file, at: offset)
        } else {
            return
        }
        corruptions.add(1, ordering: .relaxed)
        maintenance.change { $0.isRequested = true }
    }

    /// Runs work that reads blocks; what is damaged of them is reported on the way.
    func reportingDamage<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch {
            reportDamage(error)
            throw error
        }
    }

    /// Sets the blocks aside that were reported and are damaged, and drops the head's chunks that were.
    func quarantineDamaged() throws {
        let suspects = damage.takeSuspects()
        for (file, offset) in suspects.chunks {
            let span = try committer.perform { [head] in head.dropDamagedChunk(file: file, offset: offset) }
            guard let span else { continue }
            metrics.headChunkCorruptions.increment()
            damage.note(
                StorageDamage(file: file, reason: "damaged head chunk", after: span.min, before: span.max))
            options.logger.error(
                "a damaged head chunk is dropped, samples of one series are missing",
                metadata: ["file": "\(file)", "offset": "\(offset)", "mint": "\(span.min)", "maxt": "\(span.max)"])
        }
        try leaveOutDamaged(suspects.blocks)
        for block in head.gate.shared({ blocks.all }) where suspects.blocks.contains(block.identifier) {
            do throws(StorageError) {
                // The file system may have had a bad moment.
                try block.reader.verify()
            } catch {
                try catalog.replace(adding: [], removing: [block.identifier])
                try replaceBlocks(adding: [], removing: [block.identifier])
                try BlockSet.setAside(options, block.reader.path, "damaged block, it is set aside: \(error)")
                damage.note(
                    StorageDamage(
                        file: block.reader.path, reason: "\(error)", after: block.range.min, before: block.range.max))
                metrics.quarantinedBlocks.set(metrics.quarantinedBlocks.value + 1)
            }
        }
    }
}

import Blocks
import FileIO
import Logging
import SelfMetrics
import StorageAPI
import StorageFiles

/// Brings the block directories and the catalog together: at the start, and every minute for what somebody puts there
/// or takes away.
struct BlockSet {
    /// What is to be served.
    private(set) var blocks: [Block] = []
    /// What the catalog listed and is gone, or cannot be read.
    private(set) var missing: [BlockRecord] = []
    /// What could not be read.
    private(set) var damages: [StorageDamage] = []
    /// Directories that nobody needs once `blocks` is what queries see.
    private var leftovers: [String] = []
    private let options: TSDBOptions

    /// Looks at every directory, and lets the catalog follow. What cannot be read is set aside and reported.
    /// - Parameters:
    ///   - known: blocks that are open already.
    ///   - interrupted: of what looks like remains this is to stay.
    init(
        _ options: TSDBOptions, _ catalog: Catalog, _ metrics: TSDBMetrics, known: [Block] = [],
        keeping interrupted: InterruptedMerge?
    ) throws(StorageError) {
        self.options = options
        let directory = BlockDirectory.path(in: options.directory)
        let listing = try BlockDirectory.list(fileSystem: options.fileSystem, directory: directory)
        for path in listing.leftovers where path != interrupted?.path {
            options.logger.info("remains of a block removed", metadata: ["path": "\(path)"])
            try BlockDirectory.remove(fileSystem: options.fileSystem, path: path)
        }
        var found: [BlockIdentifier: Block] = [:]
        for block in known { found[block.identifier] = block }
        var present: [Block] = []
        for path in listing.blocks {
            let identifier = BlockIdentifier(FilePath.name(of: path))
            do throws(StorageError) {
                if let identifier, let block = found[identifier] {
                    present.append(block)
                } else {
                    present.append(Block(try BlockReader(fileSystem: options.fileSystem, path: path)))
                }
            } catch {
                guard case .corruption = error else { throw error }
                metrics.reloadFailures.increment()
                damages.append(StorageDamage(file: path, reason: "\(error)"))
                try setAside(path, "block cannot be read, it is set aside: \(error)")
            }
        }
        try reconcile(present, catalog)
    }

    private mutating func reconcile(_ present: [Block], _ catalog: Catalog) throws(StorageError) {
        let found = present.map(\.record)
        // Without the file the blocks alone say what there is.
        let rows = catalog.refusal == nil ? try catalog.blocks() : found
        let verdict = BlockReconciliation(rows: rows, found: found)
        missing = verdict.missing
        for block in missing {
            options.logger.error("block of the catalog is gone", metadata: ["block": "\(block.identifier)"])
        }
        for block in verdict.adopted {
            options.logger.info("block found and taken in", metadata: ["block": "\(block.identifier)"])
        }
        try catalog.replace(
            adding: verdict.adopted, removing: (missing + verdict.leftovers).map(\.identifier))
        let directory = BlockDirectory.path(in: options.directory)
        for block in verdict.unfinished {
            try setAside(
                FilePath.join(directory, block.identifier.description), "merge that was not finished, it is set aside")
        }
        let served = Set(verdict.served.map(\.identifier))
        blocks = present.filter { served.contains($0.identifier) }
        leftovers = verdict.leftovers.map { FilePath.join(directory, $0.identifier.description) }
    }

    /// To be called when nobody sees them any more.
    func removeLeftovers() throws(StorageError) {
        for path in leftovers { try BlockDirectory.remove(fileSystem: options.fileSystem, path: path) }
    }

    private func setAside(_ path: String, _ reason: String) throws(StorageError) {
        try BlockSet.setAside(options, path, reason)
    }

    /// Moves a directory out of the way, with all that is in it.
    static func setAside(_ options: TSDBOptions, _ path: String, _ reason: String) throws(StorageError) {
        options.logger.error("\(reason)", metadata: ["path": "\(path)"])
        let aside = FilePath.join(options.directory, "quarantine")
        let (fileSystem, name) = (options.fileSystem, FilePath.name(of: path))
        try StorageError.wrapping { () throws(FileError) in
            try fileSystem.createDirectory(aside)
            var target = FilePath.join(aside, name)
            var attempt = 1
            while fileSystem.exists(target) {
                attempt += 1
                target = FilePath.join(aside, name + "." + String(attempt))
            }
            try fileSystem.rename(path, to: target)
            // Its new name, then that the old one is gone: a block that came back after a power cut would be served, with
            // all that was deleted meanwhile.
            try fileSystem.syncDirectory(aside)
            try fileSystem.syncDirectory(options.directory)
            try fileSystem.syncDirectory(FilePath.directory(of: path))
        }
    }
}

import Blocks
import FileIO
import FoundationEssentials
import StorageAPI
import StorageFiles

/// The file of `--storage.tsdb.delay-compact-file.path`: which blocks a shipper has uploaded. Blocks of the first level
/// are merged only when they are listed there, as upstream does for Thanos' sidecar (`thanos.shipper.json`).
struct UploadedBlocks: Sendable {
    private struct File: Decodable {
        var uploaded: [String]?
    }

    private var identifiers: Set<BlockIdentifier> = []
    private static let bytesMax = 64 << 20

    /// A file that is missing lists nothing.
    /// - Throws: where it is there and cannot be read.
    init(_ fileSystem: any FileSystem, _ path: String) throws(StorageError) {
        guard fileSystem.exists(path) else { return }
        let bytes = try StorageError.wrapping { () throws(FileError) in
            try fileSystem.read(path, limit: UploadedBlocks.bytesMax)
        }
        guard let file = try? JSONDecoder().decode(File.self, from: Data(bytes)) else {
            throw .invalid(reason: "\(path): not a list of uploaded blocks")
        }
        identifiers = Set((file.uploaded ?? []).compactMap { BlockIdentifier($0) })
    }

    func contains(_ identifier: BlockIdentifier) -> Bool { identifiers.contains(identifier) }
}

package import Foundation
import SeriesModel

/// Inputs that failed once, a folder a target, a file an input. A failure stays here when it is mended: the tests run
/// them all.
package struct FailureFolder: Sendable {
    package let root: URL

    /// `Tests/Fuzz/Failures` of the checkout this was built from.
    package static let repository = FailureFolder(
        root: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Failures"))

    package init(root: URL) { self.root = root }

    /// The inputs of a target by file name; none where there is no folder.
    package func inputs(of target: FuzzTarget) throws -> [(name: String, input: [UInt8])] {
        let folder = root.appending(path: target.name)
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            (name, Array(try Data(contentsOf: folder.appending(path: name))))
        }
    }

    /// Keeps an input under the hash of its bytes. - Returns: the file.
    package func keep(_ input: [UInt8], of target: FuzzTarget) throws -> URL {
        let folder = root.appending(path: target.name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: String(StableHash.hash(input), radix: 16))
        try Data(input).write(to: file)
        return file
    }
}

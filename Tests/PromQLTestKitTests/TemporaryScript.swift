import Foundation
import Synchronization

/// A script in a file that goes away with the value.
final class TemporaryScript {
    let path: String

    init?(_ text: String) {
        path = NSTemporaryDirectory() + "/hearth-script-\(UUID().uuidString).test"
        guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8)) else { return nil }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Collects printed lines.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func append(_ line: String) { lines.withLock { $0.append(line) } }
}

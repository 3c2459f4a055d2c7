import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// The input that runs at the moment, where the parent finds it when the child is no more: its length in eight bytes,
/// little end first, then the bytes. One system call an input; nothing is synced, as only the process may die.
struct InputFile {
    struct Failure: Error {
        let path: String
        let code: Int32
    }

    private let descriptor: Int32

    init(creating path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(path: path, code: errno) }
    }

    func write(_ input: [UInt8]) {
        let bytes = withUnsafeBytes(of: UInt64(input.count).littleEndian) { Array($0) } + input
        guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
            Child.end(.finding, "the input cannot be written down: error \(errno)")
        }
    }

    /// What a child wrote last; nil where it wrote nothing.
    static func read(_ path: String) -> [UInt8]? {
        guard let data = FileManager.default.contents(atPath: path), data.count >= 8 else { return nil }
        let count = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard count <= UInt64(data.count - 8) else { return nil }
        return Array(data.dropFirst(8).prefix(Int(count)))
    }
}

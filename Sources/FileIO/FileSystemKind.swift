/// What a directory lies on, as far as it matters to what a database may take for granted of it.
package enum FileSystemKind: Sendable, Hashable {
    case local
    /// A network, or a program, is between us and the disk: locks, `fsync` and mappings may not mean there what they
    /// mean here. The name is the usual one: "nfs", "fuse".
    case remote(String)

    /// - Parameter magic: `f_type` of statfs(2); the numbers are those of linux/magic.h.
    init(magic: UInt32) {
        self = FileSystemKind.remoteNames[magic].map { .remote($0) } ?? .local
    }

    private static let remoteNames: [UInt32: String] = [
        0x6969: "nfs", 0x517B: "smb", 0xFE53_4D42: "smb2", 0xFF53_4D42: "cifs", 0x6573_5546: "fuse",
        0x0102_1997: "9p", 0x00C3_6400: "ceph", 0x5346_414F: "afs", 0x6B41_4653: "kafs", 0x7375_7245: "coda",
        0x0BD0_0BD0: "lustre",
    ]
}

import FileIO

#if canImport(Glibc)
    import Glibc
#endif

/// How much memory there is for this process.
enum MachineMemory {
    /// Bytes: the machine's, or what the control group allows where that is less.
    static var bytes: Int {
        let (pages, pageBytes) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        let machine =
            pages > 0 && pageBytes > 0 ? pages.multipliedReportingOverflow(by: pageBytes).partialValue : 1 << 30
        return min(machine, groupLimit(in: "/sys/fs/cgroup/memory.max") ?? machine)
    }

    /// - Returns: nil where there is no such file, or it says `max`.
    static func groupLimit(in path: String) -> Int? {
        guard let bytes = try? PosixFileSystem().read(path, limit: 4096) else { return nil }
        let digits = bytes.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        return Int(String(decoding: digits, as: UTF8.self)).flatMap { $0 > 0 ? $0 : nil }
    }
}

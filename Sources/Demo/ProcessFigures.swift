#if canImport(Glibc)
    import Glibc
#endif

/// What /proc says of this process, under the names of the client libraries.
struct ProcessFigures {
    private var cpuSeconds = 0.0
    private var residentBytes = 0.0
    private var virtualBytes = 0.0
    private var openFiles = 0.0
    private var startSeconds = 0.0

    /// Reads the figures now; what cannot be read stays 0.
    init() {
        let fields = ProcessFigures.statFields()
        let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        let page = Double(max(1, sysconf(Int32(_SC_PAGESIZE))))
        // Fields are counted behind the command's closing parenthesis, which is field 2 of proc(5).
        func field(_ number: Int) -> Double {
            let index = number - 3
            return fields.indices.contains(index) ? fields[index] : 0
        }
        cpuSeconds = (field(14) + field(15)) / ticks
        virtualBytes = field(23)
        residentBytes = field(24) * page
        startSeconds = ProcessFigures.bootTime() + field(22) / ticks
        openFiles = ProcessFigures.countOpenFiles()
    }

    func write(to text: inout MetricText) {
        text.single("process_cpu_seconds_total", "counter", "User and system CPU time, s.", cpuSeconds)
        text.single("process_resident_memory_bytes", "gauge", "Resident memory.", residentBytes)
        text.single("process_virtual_memory_bytes", "gauge", "Virtual memory.", virtualBytes)
        text.single("process_open_fds", "gauge", "Open file descriptors.", openFiles)
        text.single("process_start_time_seconds", "gauge", "Start, s since the epoch.", startSeconds)
    }

    private static func statFields() -> [Double] {
        let text = read("/proc/self/stat")
        guard let end = text.lastIndex(of: ")") else { return [] }
        return text[text.index(after: end)...].split(separator: " ").map { Double($0) ?? 0 }
    }

    private static func bootTime() -> Double {
        let line = read("/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst("btime ".count)) } ?? 0
    }

    private static func countOpenFiles() -> Double {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0.0
        while readdir(directory) != nil { count += 1 }
        // Without `.`, `..` and the directory itself.
        return max(0, count - 3)
    }

    private static func read(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = Glibc.read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}

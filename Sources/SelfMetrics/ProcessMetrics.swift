#if canImport(Glibc)
    import Glibc
#endif

/// `process_*`: what the kernel tells about this process, read from `/proc` before each exposition. A value that
/// cannot be read keeps what it had.
package struct ProcessMetrics: Sendable {
    private let cpuSeconds: Counter
    private let residentBytes: Gauge
    private let virtualBytes: Gauge
    private let openFiles: Gauge
    private let maxFiles: Gauge
    private let threads: Gauge
    private let receivedBytes: Counter
    private let sentBytes: Counter

    /// Registers the metrics, and reads them on each exposition from now on.
    /// - Parameter registry: lives as long as the process.
    @discardableResult
    package init(_ registry: MetricsRegistry) {
        cpuSeconds = registry.counter(
            "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.")
        residentBytes = registry.gauge("process_resident_memory_bytes", "Resident memory size in bytes.")
        virtualBytes = registry.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.")
        openFiles = registry.gauge("process_open_fds", "Number of open file descriptors.")
        maxFiles = registry.gauge("process_max_fds", "Maximum number of open file descriptors.")
        threads = registry.gauge("process_threads", "Number of operating system threads in the process.")
        receivedBytes = registry.counter(
            "process_network_receive_bytes_total", "Number of bytes received by the process over the network.")
        sentBytes = registry.counter(
            "process_network_transmit_bytes_total", "Number of bytes sent by the process over the network.")
        let startTime = registry.gauge(
            "process_start_time_seconds", "Start time of the process since unix epoch in seconds.")
        if let seconds = ProcessMetrics.startTimeSeconds() { startTime.set(seconds) }
        registry.onCollect { [self] in collect() }
        collect()
    }

    private func collect() {
        var usage = rusage()
        if getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            cpuSeconds.mirror(ProcessMetrics.seconds(usage.ru_utime) + ProcessMetrics.seconds(usage.ru_stime))
        }
        if let fields = ProcessMetrics.statFields() {
            // Fields 20 (threads), 23 (virtual size in bytes), 24 (resident pages) of proc(5); the array begins with 3.
            if fields.count > 17, let count = Double(fields[17]) { threads.set(count) }
            if fields.count > 20, let bytes = Double(fields[20]) { virtualBytes.set(bytes) }
            if fields.count > 21, let pages = Double(fields[21]) {
                residentBytes.set(pages * Double(sysconf(Int32(_SC_PAGESIZE))))
            }
        }
        if let count = ProcessMetrics.entryCount(of: "/proc/self/fd") { openFiles.set(Double(count)) }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { maxFiles.set(Double(limit.rlim_cur)) }
        if let (received, sent) = ProcessMetrics.networkBytes() {
            receivedBytes.mirror(received)
            sentBytes.mirror(sent)
        }
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }

    /// The fields of `/proc/self/stat` from the third on: the second, the command's name, may hold blanks.
    private static func statFields() -> [Substring]? {
        guard let text = contents(of: "/proc/self/stat"), let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(separator: " ")
    }

    /// The kernel counts from boot, in clock ticks.
    private static func startTimeSeconds() -> Double? {
        guard let fields = statFields(), fields.count > 19, let ticks = Double(fields[19]),
            let stat = contents(of: "/proc/stat"),
            let line = stat.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let boot = Double(line.dropFirst("btime ".count))
        else { return nil }
        return boot + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Octets in and out of the process's network namespace, as upstream takes them from `netstat`.
    private static func networkBytes() -> (received: Double, sent: Double)? {
        guard let text = contents(of: "/proc/self/net/netstat") else { return nil }
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("IpExt:") }.map { $0.split(separator: " ") }
        guard lines.count == 2,
            let received = lines[0].firstIndex(of: "InOctets"), let sent = lines[0].firstIndex(of: "OutOctets"),
            received < lines[1].count, sent < lines[1].count,
            let bytesIn = Double(lines[1][received]), let bytesOut = Double(lines[1][sent])
        else { return nil }
        return (bytesIn, bytesOut)
    }

    private static func entryCount(of directory: String) -> Int? {
        guard let handle = opendir(directory) else { return nil }
        defer { closedir(handle) }
        var count = 0
        while readdir(handle) != nil { count += 1 }
        // Neither `.` and `..` nor the descriptor that is open for this very count.
        return max(0, count - 3)
    }

    /// Files under `/proc` have no size: they are read to their end, at most 256 KiB.
    private static func contents(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while bytes.count < 256 << 10 {
            let chunk = [UInt8](unsafeUninitializedCapacity: 16 << 10) { buffer, count in
                count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
            }
            if chunk.isEmpty { break }
            bytes += chunk
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

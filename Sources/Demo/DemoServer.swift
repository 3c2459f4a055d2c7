import ConfigTree
import Logging
import Server

#if canImport(Glibc)
    import Glibc
#endif

/// The demo as a whole: the backend, its configuration and rules written into the data directory, and the real server
/// around them.
package struct DemoServer: Sendable {
    private let dataDirectory: String
    private let ruleFile: String
    private let firstPort: Int

    package init(dataDirectory: String, ruleFile: String, firstPort: Int) {
        self.dataDirectory = dataDirectory
        self.ruleFile = ruleFile
        self.firstPort = firstPort
    }

    /// Runs until a signal ends it. - Returns: the exit status.
    package func run() async -> Int32 {
        let backend = DemoBackend()
        let (ports, portSource) = AsyncStream<Int>.makeStream()
        let logger = ServerLog.logger(levelName: "warn", formName: "logfmt")
        let serving = Task {
            do {
                try await backend.run(logger: logger) { port in
                    portSource.yield(port)
                    portSource.finish()
                }
            } catch is CancellationError {
            } catch {
                logger.error("the demo backend cannot run", metadata: ["error": "\(error)"])
                portSource.finish()
            }
        }
        defer { serving.cancel() }
        var iterator = ports.makeAsyncIterator()
        guard let backendPort = await iterator.next(), let port = FreePort.first(from: firstPort) else {
            logger.error("no free port on loopback")
            return 1
        }
        do {
            try prepare(backendPort: backendPort, port: port)
            let flags = try FlagValues([
                "--config.file=\(dataDirectory)/prometheus.yml", "--storage.tsdb.path=\(dataDirectory)/data",
                "--web.listen-address=127.0.0.1:\(port)", "--web.external-url=http://127.0.0.1:\(port)",
                "--web.enable-lifecycle", "--log.level=warn",
            ])
            return await ServerProcess.run(flags) {
                print(welcome(port: port, backendPort: backendPort))
                // Standard output may be a pipe or a file, where it would wait for more.
                fflush(nil)
            }
        } catch {
            logger.error("the demo cannot start", metadata: ["error": "\(error)"])
            return 1
        }
    }

    /// Writes configuration and rules.
    private func prepare(backendPort: Int, port: Int) throws {
        let rules = String(decoding: try ConfigFile.read(ruleFile), as: UTF8.self)
        try DemoFiles.makeDirectory(dataDirectory)
        try DemoFiles.write(rules, to: dataDirectory + "/backend_alerts.yml")
        try DemoFiles.write(FastRules.copy(of: rules), to: dataDirectory + "/backend_alerts_fast.yml")
        try DemoFiles.write(
            """
            # Written by `hearth demo`, anew at each start.
            global:
              scrape_interval: 2s
              scrape_timeout: 2s
              evaluation_interval: 2s
            rule_files:
              - backend_alerts.yml
              - backend_alerts_fast.yml
            scrape_configs:
              - job_name: backend
                static_configs:
                  - targets: ["127.0.0.1:\(backendPort)"]
              - job_name: hearth
                static_configs:
                  - targets: ["127.0.0.1:\(port)"]

            """, to: dataDirectory + "/prometheus.yml")
    }

    private func welcome(port: Int, backendPort: Int) -> String {
        let url = "http://127.0.0.1:\(port)"
        return """

            Hearth watches a simulated backend. Open in a browser:

              \(url)/query      ask and draw
              \(url)/targets    what is scraped
              \(url)/alerts     pending and firing alerts; those with pace="demo" count seconds for minutes
              http://127.0.0.1:\(backendPort)/metrics   the backend itself

            Queries to try:

              sum by (handler) (rate(http_requests_total[1m]))
              sum(rate(http_requests_total{status=~"5.."}[1m])) / sum(rate(http_requests_total[1m])) * 100
              histogram_quantile(0.95, sum(rate(http_request_duration_highr_seconds_bucket[1m])) by (le))
              (db_pool_checked_out / db_pool_size) * 100
              ALERTS{pace="demo"}

            Incidents come and go every few minutes: an error burst after 20 s, an exhausted pool, a latency spike.
            Data and generated files are in \(dataDirectory). Ctrl-C stops.

            """
    }
}

/// Files of the demo: written anew each time, so without ceremony.
enum DemoFiles {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static func makeDirectory(_ path: String) throws {
        if mkdir(path, 0o755) != 0, errno != EEXIST {
            throw Failure(description: "mkdir \(path): \(String(cString: strerror(errno)))")
        }
    }

    static func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Failure(description: "open \(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard written > 0 else { throw Failure(description: "write \(path): \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(written)
        }
    }
}

enum FreePort {
    /// The first port on loopback that nobody listens on, from the given one upwards.
    static func first(from port: Int) -> Int? {
        (port..<(port + 200)).first { candidate in
            guard let number = UInt16(exactly: candidate) else { return false }
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard descriptor >= 0 else { return false }
            defer { close(descriptor) }
            var reuse: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = number.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
        }
    }
}

package import Logging
import SeriesModel
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Log lines on standard error in the two forms that Prometheus' flags name: logfmt and JSON.
package struct ServerLog: LogHandler {
    package enum Form: String, Sendable {
        case logfmt, json
    }

    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let form: Form
    private let write: @Sendable (String) -> Void

    /// - Parameter write: gets one line with its line feed; standard error when left out.
    package init(level: Logger.Level, form: Form, write: (@Sendable (String) -> Void)? = nil) {
        logLevel = level
        self.form = form
        self.write = write ?? ServerLog.writeToStandardError
    }

    /// A logger with this handler. - Parameter levelName: as the flag has it: debug, info, warn, error.
    package static func logger(levelName: String, formName: String) -> Logger {
        let level: Logger.Level =
            switch levelName {
            case "debug": .debug
            case "warn": .warning
            case "error": .error
            default: .info
            }
        let form = Form(rawValue: formName) ?? .logfmt
        return Logger(label: "hearth", factory: { _ in ServerLog(level: level, form: form) })
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value.description) }
        let level = ServerLog.name(event.level)
        let head = [("time", ServerLog.timestamp()), ("level", level), ("msg", event.message.description)]
        write(form == .json ? ServerLog.json(head + fields) : ServerLog.logfmt(head + fields))
    }

    private static func name(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "DEBUG"
        case .info, .notice: "INFO"
        case .warning: "WARN"
        case .error, .critical: "ERROR"
        }
    }

    private static func logfmt(_ fields: [(String, String)]) -> String {
        fields.map { key, value in
            let isPlain =
                !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x3D }
            return key + "=" + (isPlain ? value : GoQuote.quote(value))
        }.joined(separator: " ") + "\n"
    }

    private static func json(_ fields: [(String, String)]) -> String {
        "{" + fields.map { "\(quoted($0)):\(quoted($1))" }.joined(separator: ",") + "}\n"
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func padded(_ value: Int, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let date =
            "\(padded(Int(parts.tm_year) + 1900, 4))-\(padded(Int(parts.tm_mon) + 1, 2))-\(padded(Int(parts.tm_mday), 2))"
        let time = "\(padded(Int(parts.tm_hour), 2)):\(padded(Int(parts.tm_min), 2)):\(padded(Int(parts.tm_sec), 2))"
        return "\(date)T\(time).\(padded(now.tv_nsec / 1_000_000, 3))Z"
    }

    /// One write a line, so that lines of several threads do not mix.
    private static func writeToStandardError(_ line: String) {
        var line = line
        line.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let base = rest.baseAddress, rest.count > 0 {
                let written = Glibc.write(STDERR_FILENO, base, rest.count)
                if written > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest[written...])
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}

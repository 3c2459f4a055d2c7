import HTTPAPI
import SeriesModel
import StorageAPI
import Synchronization
import Testing

@Suite("The admin endpoints")
struct AdminEndpointTests {
    /// Writes down what it is asked to do.
    private final class Recorder: Sendable {
        let calls = Mutex<[String]>([])
        let failure: StorageError?

        init(failure: StorageError? = nil) { self.failure = failure }

        func note(_ call: String) throws {
            calls.withLock { $0.append(call) }
            if let failure { throw failure }
        }

        var services: AdminServices {
            AdminServices(
                deleteSeries: { [self] matching, range in
                    let texts = matching.map { "{" + $0.map { "\($0.name)=\($0.value)" }.joined(separator: ",") + "}" }
                    try note("delete \(texts.joined()) \(range.min) \(range.max)")
                },
                cleanTombstones: { [self] in try note("clean") },
                snapshot: { [self] skipsHead in
                    try note("snapshot \(skipsHead)")
                    return "20260101T000000Z-0123456789abcdef"
                })
        }
    }

    private static let prefix = "/api/v1/admin/tsdb/"
    private static let paths = ["delete_series?match[]=up", "clean_tombstones", "snapshot"]

    @Test("are unavailable without the flag, in upstream's words", arguments: paths)
    func disabled(path: String) async throws {
        let response = try await TestServer.shared.client.post(Self.prefix + path, "")
        #expect(response.status == 500)
        #expect(response.text == #"{"status":"error","errorType":"unavailable","error":"admin APIs disabled"}"#)
    }

    @Test("take POST and PUT and nothing else", arguments: paths)
    func methods(path: String) async throws {
        let recorder = Recorder()
        try await TestServer.run {
            $0.admin = recorder.services
        } _: { server in
            for method in ["GET", "DELETE"] {
                let response = try await server.client.send(method, Self.prefix + path)
                #expect(response.status == 405)
            }
            #expect(recorder.calls.withLock { $0 }.isEmpty)
            for method in ["POST", "PUT"] {
                let response = try await server.client.send(method, Self.prefix + path)
                #expect(response.status / 100 == 2)
            }
            #expect(recorder.calls.withLock { $0 }.count == 2)
        }
    }

    @Test("deletion takes selectors and times from URL and body, and answers 204")
    func delete() async throws {
        let recorder = Recorder()
        try await TestServer.run {
            $0.admin = recorder.services
        } _: { server in
            let response = try await server.client.post(
                Self.prefix + "delete_series?match[]=up", "match[]={job=\"a\",x=\"y\"}&start=1.5&end=2")
            #expect(response.status == 204)
            #expect(response.body.isEmpty)
            #expect(
                recorder.calls.withLock { $0 }
                    == ["delete {job=a,x=y}{__name__=up} 1500 2000"])
            let all = try await server.client.post(Self.prefix + "delete_series?match[]=up", "")
            #expect(all.status == 204)
            let call = try #require(recorder.calls.withLock { $0.last })
            #expect(call.hasPrefix("delete {__name__=up} -"), "\(call)")
        }
    }

    @Test(
        "deletion refuses what selects everything or is not understood",
        arguments: [
            ("", "no match[] parameter provided"), ("start=1", "no match[] parameter provided"),
            ("match[]={}", #"invalid parameter \"match[]\": match[] must contain at least one non-empty matcher"#),
            ("match[]=up&start=x", #"invalid parameter \"start\": cannot parse \"x\" to a valid timestamp"#),
            ("match[]=up&end=x", #"invalid parameter \"end\": cannot parse \"x\" to a valid timestamp"#),
            ("match[]=up%7B", #"invalid parameter \"match[]\""#),
        ])
    func refused(form: String, text: String) async throws {
        let recorder = Recorder()
        try await TestServer.run {
            $0.admin = recorder.services
        } _: { server in
            let response = try await server.client.post(Self.prefix + "delete_series", form)
            #expect(response.status == 400)
            #expect(response.text.contains("bad_data") && response.text.contains(text), "\(response.text)")
        }
        #expect(recorder.calls.withLock { $0 }.isEmpty)
    }

    @Test("a snapshot is named in the answer, and may leave out the head")
    func snapshot() async throws {
        let recorder = Recorder()
        try await TestServer.run {
            $0.admin = recorder.services
        } _: { server in
            let response = try await server.client.post(Self.prefix + "snapshot?skip_head=true", "")
            #expect(response.text == #"{"status":"success","data":{"name":"20260101T000000Z-0123456789abcdef"}}"#)
            _ = try await server.client.post(Self.prefix + "snapshot", "skip_head=0")
            #expect(recorder.calls.withLock { $0 } == ["snapshot true", "snapshot false"])
            let wrong = try await server.client.post(Self.prefix + "snapshot", "skip_head=maybe")
            #expect(wrong.status == 400)
            #expect(
                wrong.text.contains(
                    #"invalid parameter \"skip_head\": unable to parse boolean: "#
                        + #"strconv.ParseBool: parsing \"maybe\": invalid syntax"#))
        }
    }

    @Test("what the store cannot do is an internal error", arguments: paths)
    func failing(path: String) async throws {
        let recorder = Recorder(failure: .system(operation: "link", path: "x", message: "no space"))
        try await TestServer.run {
            $0.admin = recorder.services
        } _: { server in
            let response = try await server.client.post(Self.prefix + path, "")
            #expect(response.status == 500)
            #expect(response.text.contains(#""errorType":"internal""#) && response.text.contains("no space"))
        }
    }

    @Test("are among the features when they are on")
    func features() async throws {
        #expect(try await TestServer.shared.client.get("/api/v1/features").text.contains(#""admin":false"#))
        let recorder = Recorder()
        try await TestServer.run {
            $0.admin = recorder.services
        } _: { server in
            let response = try await server.client.get("/api/v1/features")
            #expect(response.text.contains(#""admin":true"#))
        }
    }
}

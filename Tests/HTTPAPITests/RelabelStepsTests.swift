import HTTPAPI
import Regexp
import Relabeling
import Scrape
import SeriesModel
import Testing

@Suite("Relabelling steps and the configuration of a pool")
struct RelabelStepsTests {
    private static func rules() throws -> [RelabelRule] {
        [
            try RelabelRule(
                sourceLabels: ["__address__"], regex: Pattern("(.*):80"), targetLabel: "host", replacement: "$1"),
            try RelabelRule(
                action: .hashmod, sourceLabels: ["host", "job"], separator: "", modulus: 2, targetLabel: "shard"),
            try RelabelRule(action: .drop, sourceLabels: ["host"], regex: Pattern("one")),
            try RelabelRule(action: .labeldrop, regex: Pattern("job")),
        ]
    }

    private func get(_ target: String) async throws -> LoopbackClient.Response {
        try await TestServer.run {
            $0.relabelRules = { $0 == "web" ? try? RelabelStepsTests.rules() : nil }
            $0.scrapePoolConfiguration = { $0 == "web" ? "job_name: web\n" : nil }
        } _: {
            try await $0.client.get(target)
        }
    }

    @Test("each rule stands with the labels that it leaves")
    func steps() async throws {
        let response = try await get(
            "/api/v1/targets/relabel_steps?scrapePool=web&labels=%7B%22__address__%22:%22two:80%22,%22job%22:%22j%22%7D"
        )
        let relabelled = #""__address__":"two:80","host":"two""#
        let shard = response.text.contains(#""shard":"0""#) ? "0" : "1"
        #expect(
            response.text
                == #"{"status":"success","data":{"steps":[{"rule":{"sourceLabels":["__address__"],"separator":";","#
                + #""regex":"(.*):80","targetLabel":"host","replacement":"$1","action":"replace"},"#
                + #""output":{\#(relabelled),"job":"j"},"keep":true},"#
                + #"{"rule":{"sourceLabels":["host","job"],"regex":"(.*)","modulus":2,"targetLabel":"shard","#
                + #""replacement":"$1","action":"hashmod"},"#
                + #""output":{\#(relabelled),"job":"j","shard":"\#(shard)"},"keep":true},"#
                + #"{"rule":{"sourceLabels":["host"],"separator":";","regex":"one","replacement":"$1","#
                + #""action":"drop"},"output":{\#(relabelled),"job":"j","shard":"\#(shard)"},"keep":true},"#
                + #"{"rule":{"separator":";","regex":"job","replacement":"$1","action":"labeldrop"},"#
                + #""output":{\#(relabelled),"shard":"\#(shard)"},"keep":true}]}}"#)
    }

    @Test("behind a rule that drops the target nothing is left")
    func dropped() async throws {
        let response = try await get(
            "/api/v1/targets/relabel_steps?scrapePool=web&labels=%7B%22__address__%22:%22one:80%22%7D")
        #expect(response.text.components(of: #""output":{},"keep":false"#) == 2)
    }

    @Test(
        "what cannot be shown is refused with 400",
        arguments: [
            ("targets/relabel_steps?labels=%7B%7D", "no scrapePool parameter provided"),
            ("targets/relabel_steps?scrapePool=web", "no labels parameter provided"),
            ("targets/relabel_steps?scrapePool=web&labels=%5B", "error parsing labels: not a JSON object"),
            ("targets/relabel_steps?scrapePool=web&labels=%7B%22a%22:1%7D", "error parsing labels: "),
            (
                "targets/relabel_steps?scrapePool=no&labels=%7B%7D",
                #"error retrieving scrape config: scrape pool \"no\" not found"#
            ),
            ("scrape_pools/config", "no scrapePool parameter provided"),
            ("scrape_pools/config?scrapePool=no", #"error retrieving scrape config: scrape pool \"no\" not found"#),
        ])
    func refused(target: String, reason: String) async throws {
        let response = try await get("/api/v1/" + target)
        #expect(response.status == 400)
        #expect(response.text.contains(#""errorType":"bad_data","error":""# + reason), "\(response.text)")
    }

    @Test("while one target is probed no other is, and a target that is not scraped never")
    func probe() async throws {
        try await TestServer.run {
            $0.probe = { _, url in url == "http://h/" ? .busy : .unknown }
        } _: { server in
            let target = "/api/v1/targets/probe"
            let busy = try await server.client.post(target, "scrapePool=web&scrapeUrl=http://h/")
            #expect(busy.status == 503 && busy.text.contains("another probe is under way"))
            let unknown = try await server.client.post(target, "scrapePool=web&scrapeUrl=http://i/")
            #expect(unknown.status == 404)
            #expect(
                try await server.client.get("/api/v1/targets/probe?scrapePool=web&scrapeUrl=http://h/").status == 405)
        }
    }

    @Test("a pool's configuration is YAML")
    func configuration() async throws {
        let response = try await get("/api/v1/scrape_pools/config?scrapePool=web")
        #expect(response.text == #"{"status":"success","data":{"yaml":"job_name: web\n"}}"#)
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func components(of needle: String) -> Int { ranges(of: needle).count }
}

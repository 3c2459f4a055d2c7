import Exposition
import Testing

@Suite("Content negotiation")
struct ExpositionFormatTests {
    @Test("the Accept header is upstream's")
    func accept() {
        #expect(
            ExpositionFormat.acceptHeader()
                == "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                + "application/openmetrics-text;version=0.0.1;q=0.5,"
                + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
        #expect(
            ExpositionFormat.acceptHeader([.protobuf, .text004])
                == "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
                + "text/plain;version=0.0.4;q=0.5,*/*;q=0.4")
        #expect(ExpositionFormat.acceptHeader([.text004]) == "text/plain;version=0.0.4;q=0.6,*/*;q=0.5")
    }

    @Test(
        "content types choose the parser",
        arguments: [
            ("text/plain; version=0.0.4; charset=utf-8", ExpositionFormat.text100),
            ("text/plain; version=1.0.0; charset=utf-8", .text100), ("TEXT/PLAIN", .text100),
            ("application/openmetrics-text; version=1.0.0; charset=\"utf-8\"", .openMetrics100),
            ("application/openmetrics-text;", .openMetrics100),
            (
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
                .protobuf
            ),
        ])
    func contentTypes(header: String, format: ExpositionFormat) throws {
        let choice = try ExpositionFormat.choose(contentType: header, fallback: nil)
        #expect(choice.format == format)
        #expect(choice.warning == nil)
    }

    @Test("an unusable content type needs a fallback", arguments: [nil, "", "application/json", "text", "a/b; c"])
    func fallback(header: String?) throws {
        #expect(throws: ExpositionError.self) {
            try ExpositionFormat.choose(contentType: header, fallback: nil)
        }
        let choice = try ExpositionFormat.choose(contentType: header, fallback: .text004)
        #expect(choice.format == .text004)
        #expect(choice.warning?.hasSuffix("using fallback_scrape_protocol \"text/plain\"") == true)
    }

    @Test(
        "answers are in the best format asked for",
        arguments: [
            (nil, ExpositionFormat.text004), ("*/*", .text004), ("text/plain", .text004),
            ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;q=0.5", .openMetrics100),
            ("application/openmetrics-text;version=0.0.1;q=0.2,text/plain;version=0.0.4;q=0.5", .text004),
            ("text/plain;version=1.0.0;escaping=allow-utf-8", .text100), ("nonsense", .text004),
            (ExpositionFormat.acceptHeader([.protobuf] + ExpositionFormat.standard), .protobuf),
            ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", .text004),
        ])
    func negotiation(header: String?, format: ExpositionFormat) {
        #expect(ExpositionFormat.negotiate(accept: header) == format)
    }
}

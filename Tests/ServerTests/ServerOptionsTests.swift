import PromQLEngine
import PromQLSyntax
import Scrape
import TestSupport
import Testing

@testable import Server

@Suite struct ServerOptionsTests {
    private func options(_ arguments: String...) throws -> ServerOptions {
        try ServerOptions(FlagValues(arguments))
    }

    @Test("the limits of queries reach the engine")
    func limits() throws {
        let engine = try options(
            "--query.max-samples=7", "--query.max-concurrency=3", "--query.timeout=90s", "--query.lookback-delta=1m",
            "--query.max-memory=3MB"
        ).engine(subqueryStep: 15_000)
        #expect(engine.maxSamples == 7)
        #expect(engine.maxConcurrency == 3)
        #expect(engine.timeout == 90_000)
        #expect(engine.lookbackDelta == 60_000)
        #expect(engine.maxMemory == 3 << 20)
        #expect(engine.defaultSubqueryStep == 15_000)
    }

    @Test("a query may take a quarter of the memory, unless told otherwise; 0 is any number of bytes")
    func memory() throws {
        #expect(try options().engine(subqueryStep: 1).maxMemory == MachineMemory.bytes / 4)
        #expect(MachineMemory.bytes > 64 << 20)
        #expect(try options("--query.max-memory=0").engine(subqueryStep: 1).maxMemory > 1 << 50)
    }

    @Test("a control group's limit is read where it has one")
    func groupLimit() throws {
        let directory = try TemporaryDirectory()
        try directory.write("limited", "536870912\n")
        try directory.write("free", "max\n")
        #expect(MachineMemory.groupLimit(in: directory("limited")) == 512 << 20)
        #expect(MachineMemory.groupLimit(in: directory("free")) == nil)
        #expect(MachineMemory.groupLimit(in: directory("none")) == nil)
    }

    @Test("features reach those who know them")
    func features() throws {
        let none = try options()
        #expect(!none.engine(subqueryStep: 1).usesStartTimestamps)
        #expect(!none.engine(subqueryStep: 1).enablesTypeAndUnitLabels)
        #expect(!none.scrapes.addsTypeAndUnitLabels)
        let both = try options("--enable-feature=type-and-unit-labels,use-start-timestamps")
        #expect(both.engine(subqueryStep: 1).usesStartTimestamps)
        #expect(both.engine(subqueryStep: 1).enablesTypeAndUnitLabels)
        #expect(both.scrapes.addsTypeAndUnitLabels)
        #expect(both.flags.warnings == [])
    }

    @Test("the configuration's query log goes before the flag's")
    func queryLogFile() throws {
        let flag = try options("--query.log-file=from-flag.log")
        let plain = try ServerConfig(text: "", path: "/etc/p.yml", syntax: ParserOptions())
        let named = try ServerConfig(
            text: "global: {query_log_file: q.log}", path: "/etc/p.yml", syntax: ParserOptions())
        #expect(flag.queryLogFile(plain) == "from-flag.log")
        #expect(flag.queryLogFile(named) == "/etc/q.log")
        #expect(try options().queryLogFile(plain) == "")
    }
}

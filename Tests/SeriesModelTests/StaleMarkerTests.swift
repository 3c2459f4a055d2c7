import SeriesModel
import Testing

@Suite("Stale marker")
struct StaleMarkerTests {
    @Test("only the one bit pattern is stale")
    func bits() {
        #expect(StaleMarker.isStale(StaleMarker.value))
        #expect(!StaleMarker.isStale(StaleMarker.ordinaryNaN))
        #expect(!StaleMarker.isStale(.nan))
        #expect(StaleMarker.value.bitPattern == 0x7FF0_0000_0000_0002)
        #expect(StaleMarker.ordinaryNaN.bitPattern == 0x7FF8_0000_0000_0001)
    }
}

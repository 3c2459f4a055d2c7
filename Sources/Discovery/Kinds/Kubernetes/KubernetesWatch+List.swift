import OutboundHTTP
import SeriesModel

extension KubernetesWatch {
    /// ms
    private static let listTimeout: Int64 = 60_000
    /// No list is longer. Objects
    private static let objectsMax = 1_000_000

    /// Reads the whole list, page by page, into the store. A page that is too large fails as such; the pages of one list
    /// must have one size, so that another begins anew.
    /// - Returns: its version.
    func list(pageSize: Int) async throws(DiscoveryError) -> String {
        var objects: [KubernetesObject] = []
        var token = ""
        while true {
            var parameters = selectorParameters
            parameters.append(("limit", String(pageSize)))
            if !token.isEmpty { parameters.append(("continue", token)) }
            let page = try await api.json(url + URLText.query(parameters), timeout: KubernetesWatch.listTimeout)
            guard let items = page["items"]?.array ?? (page["items"]?.isNull == true ? [] : nil),
                let version = page["metadata"]?["resourceVersion"]?.string
            else { throw DiscoveryError("json: no list of objects") }
            objects += items.compactMap { KubernetesObject($0, resource) }
            guard objects.count <= KubernetesWatch.objectsMax else {
                throw DiscoveryError("more than \(KubernetesWatch.objectsMax) objects")
            }
            token = page["metadata"]?["continue"]?.string ?? ""
            guard token.isEmpty || !items.isEmpty else { throw DiscoveryError("an empty page of a list") }
            if token.isEmpty {
                for change in store.replace(resource, namespace: namespace, with: objects) {
                    metrics.handled(resource, change)
                }
                return version
            }
        }
    }
}

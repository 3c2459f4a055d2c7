import HTTPTypes

/// All routes of the API, family by family; `docs/http-api.md` describes each, and a test compares the two.
package struct APIRoutes: Sendable {
    let services: APIServices

    package init(_ services: APIServices) {
        self.services = services
    }

    package var all: [Route] {
        queryRoutes + seriesRoutes + exemplarRoutes + targetRoutes + ruleRoutes + statusRoutes + receiverRoutes
            + adminRoutes + lifecycleRoutes + federationRoutes
    }

    /// Methods of endpoints that take long parameters.
    static let getAndPost: [HTTPRequest.Method] = [.get, .post]
}

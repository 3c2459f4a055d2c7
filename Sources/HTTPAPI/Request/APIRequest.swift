package import HTTPTypes
import PromQLSyntax
import SeriesModel

/// A request as endpoints see it: routed, its parameters decoded.
package struct APIRequest: Sendable {
    package var method: HTTPRequest.Method
    /// Below the route prefix, still percent-encoded.
    package var path: String
    /// Behind the `?`, as it came.
    package var queryString: String
    package var headers: HTTPFields
    /// Without the port; "" where it is not known.
    package var clientAddress = ""
    /// What the pattern's `:name` segments matched, decoded.
    package var pathParameters: [String: String] = [:]
    /// Parameters of the URL only.
    package var query = FormParameters()
    /// Parameters of the body and then of the URL.
    package var form = FormParameters()
    /// Reads the body as it came, within the limits of size and time; nothing is left of the body of a form.
    package var readBody: @Sendable () async throws -> [UInt8] = { [] }

    package init(method: HTTPRequest.Method, path: String, queryString: String, headers: HTTPFields) {
        self.method = method
        self.path = path
        self.queryString = queryString
        self.headers = headers
    }
}

// MARK: - Typed parameters

extension APIRequest {
    /// A time that must be there.
    func time(_ name: String) throws(APIError) -> Timestamp {
        do {
            return try TimeParameter.time(form[name])
        } catch {
            throw .invalidParameter(name, error.description)
        }
    }

    func time(_ name: String, default fallback: Timestamp) throws(APIError) -> Timestamp {
        form[name].isEmpty ? fallback : try time(name)
    }

    /// ms; nil where there is none.
    func duration(_ name: String) throws(APIError) -> Int64? {
        if form[name].isEmpty { return nil }
        return try requiredDuration(name)
    }

    func requiredDuration(_ name: String) throws(APIError) -> Int64 {
        do {
            return try TimeParameter.duration(form[name])
        } catch {
            throw .invalidParameter(name, error.description)
        }
    }

    /// `limit`: nil for none, which 0 means too.
    func limit() throws(APIError) -> Int? {
        let text = form["limit"]
        if text.isEmpty { return nil }
        guard let limit = Int(text) else {
            throw .invalidParameter("limit", "strconv.Atoi: parsing \(GoQuote.quote(text)): invalid syntax")
        }
        guard limit >= 0 else { throw .invalidParameter("limit", "limit must be non-negative") }
        return limit == 0 ? nil : limit
    }

    /// The selectors of `match[]`. Each must ask for something: a selector that every series without labels would
    /// satisfy selects all there is.
    func matchers() throws(APIError) -> [[LabelMatcher]] {
        var sets: [[LabelMatcher]] = []
        for text in form.all("match[]") {
            do {
                sets.append(try Parser.parseSelector(text))
            } catch {
                throw .invalidParameter("match[]", error.description)
            }
        }
        for set in sets where set.allSatisfy(\.matchesEmpty) {
            throw .invalidParameter("match[]", "match[] must contain at least one non-empty matcher")
        }
        return sets
    }

    func range() throws(APIError) -> TimeRange {
        let start = try time("start", default: TimeParameter.minimum)
        return TimeRange(min: start, max: try time("end", default: TimeParameter.maximum))
    }
}

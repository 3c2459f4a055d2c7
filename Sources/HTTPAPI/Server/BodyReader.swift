import HTTPTypes
import HummingbirdCore
import NIOCore

/// Reads the body of a form, urlencoded or in parts, within limits of size and time. Bodies of any other kind are
/// ignored.
struct BodyReader {
    enum Failure: Error {
        case tooLarge, tooSlow, broken

        var response: APIResponse {
            switch self {
            case .tooLarge: .text("http: request body too large\n", status: 413)
            case .tooSlow: .text("Request Timeout\n", status: 408)
            case .broken: .text("Bad Request\n", status: 400)
            }
        }
    }

    let options: APIOptions

    /// - Parameter query: the parameters of the URL. - Returns: them, merged with the body's.
    func form(of request: Request, _ query: FormParameters) async throws(Failure) -> FormParameters {
        guard request.method == .post || request.method == .put else { return query }
        let type = request.headers[.contentType] ?? ""
        var form: FormParameters
        if type.split(separator: ";").first?.lowercased() == "application/x-www-form-urlencoded" {
            form = FormParameters(encoded: try await body(of: request).readableBytesView)
            form.append(contentsOf: query)
        } else if let boundary = MultipartForm.boundary(in: type) {
            let body = try await body(of: request)
            form = query
            // Here the URL goes first, other than above: Go has it so.
            form.append(
                contentsOf: FormParameters(MultipartForm.fields(of: Array(body.readableBytesView), boundary: boundary)))
        } else {
            form = query
        }
        return form
    }

    func body(of request: Request) async throws(Failure) -> ByteBuffer {
        let (bytesMax, timeout) = (options.bodyBytesMax, options.readTimeout)
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > bytesMax { throw .tooLarge }
        do {
            return try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
                group.addTask { try await request.body.collect(upTo: bytesMax) }
                group.addTask {
                    try await Task.sleep(for: .milliseconds(timeout))
                    throw Failure.tooSlow
                }
                defer { group.cancelAll() }
                return try await group.next() ?? ByteBuffer()
            }
        } catch let failure as Failure {
            throw failure
        } catch is NIOTooManyBytesError {
            throw .tooLarge
        } catch {
            throw .broken
        }
    }
}

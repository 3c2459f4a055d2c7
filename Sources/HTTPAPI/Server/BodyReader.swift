import HTTPTypes
import HummingbirdCore
import NIOCore

/// Reads an urlencoded body, within limits of size and time. Bodies of any other kind are ignored.
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

    func form(of request: Request) async throws(Failure) -> FormParameters {
        guard request.method == .post || request.method == .put else { return FormParameters() }
        let type = request.headers[.contentType]?.split(separator: ";").first ?? ""
        guard type.lowercased() == "application/x-www-form-urlencoded" else { return FormParameters() }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > options.bodyBytesMax {
            throw .tooLarge
        }
        return FormParameters(encoded: try await body(of: request).readableBytesView)
    }

    private func body(of request: Request) async throws(Failure) -> ByteBuffer {
        let (bytesMax, timeout) = (options.bodyBytesMax, options.readTimeout)
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

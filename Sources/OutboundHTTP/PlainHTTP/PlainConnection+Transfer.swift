import CPosixShim
import Glibc

/// What moves bytes, under the connection's lock. Each gives what became of the connection by it.
extension PlainConnection {
    /// So often is one connection read before others have their turn.
    private static let readsMax = 16

    /// Sends what has not gone out yet, as far as it goes.
    func send(_ state: inout State) -> Outcome {
        guard let bytes = state.exchange?.bytes else { return .goesOn }
        var isBlocked = false
        while state.sentCount < bytes.count, !isBlocked {
            let (descriptor, offset) = (state.socket, state.sentCount)
            let count = bytes.withUnsafeBytes { bytes in
                bytes.baseAddress.map {
                    Glibc.send(descriptor, $0 + offset, bytes.count - offset, Int32(MSG_NOSIGNAL))
                } ?? 0
            }
            if count >= 0 {
                state.sentCount += count
            } else if errno == EAGAIN {
                isBlocked = true
            } else if errno != EINTR {
                let code = errno
                let isStale = state.isKept && (code == EPIPE || code == ECONNRESET)
                return close(
                    &state, isStale ? .stale(isUnsent: state.sentCount == 0) : .broken(code: code, isReading: false))
            }
        }
        return watch(&state, HEARTH_POLL_READABLE | (isBlocked ? HEARTH_POLL_WRITABLE : 0))
    }

    /// Asks to be told of what the socket is ready for.
    func watch(_ state: inout State, _ readiness: Int32) -> Outcome {
        guard readiness != state.watched else { return .goesOn }
        let code =
            state.watched == nil
            ? hearth_poll_add(poll, state.socket, token, readiness)
            : hearth_poll_change(poll, state.socket, token, readiness)
        state.watched = readiness
        return code == 0 ? .goesOn : close(&state, .system(code: code))
    }

    /// Reads what has come.
    func receive(_ state: inout State, _ buffer: ReadBuffer) -> Outcome {
        let buffer = buffer.bytes
        for _ in 0..<PlainConnection.readsMax {
            let count = recv(state.socket, buffer.baseAddress, buffer.count, 0)
            if count > 0 {
                state.hasReceived = true
                let outcome = take(&state, UnsafeBufferPointer(rebasing: buffer[..<count]))
                guard case .begun = outcome, count == buffer.count else { return outcome }
            } else if count == 0 {
                return takeEnd(&state)
            } else if errno == EAGAIN {
                return .goesOn
            } else if errno != EINTR {
                let isStale = state.isKept && !state.hasReceived
                return close(&state, isStale ? .stale(isUnsent: false) : .broken(code: errno, isReading: true))
            }
        }
        return .begun
    }

    private func take(_ state: inout State, _ bytes: UnsafeBufferPointer<UInt8>) -> Outcome {
        do throws(ResponseFault) {
            let count = try state.parser.take(bytes)
            guard try handOver(&state) else { throw .bodyTooLong }
            // Listening on would only cost time, until the deadline.
            if state.parser.isFlooded { return watch(&state, 0) }
            guard state.parser.isComplete else { return .begun }
            return finish(&state, mayBeKept: count == bytes.count)
        } catch {
            return close(&state, .response(error, hasBytes: true))
        }
    }

    private func takeEnd(_ state: inout State) -> Outcome {
        if state.isKept, !state.hasReceived { return close(&state, .stale(isUnsent: false)) }
        do throws(ResponseFault) {
            try state.parser.takeEnd()
            return finish(&state, mayBeKept: false)
        } catch {
            return close(&state, .response(error, hasBytes: state.hasReceived))
        }
    }

    /// Gives pieces of the body to whoever takes them.
    /// - Returns: false when they want no more.
    private func handOver(_ state: inout State) throws(ResponseFault) -> Bool {
        guard state.parser.streamsBody, let receivePart = state.exchange?.receivePart else { return true }
        let part = state.parser.takePart()
        if part.isEmpty { return true }
        guard let coding = state.parser.head?.coding, coding != .identity else { return receivePart(part) }
        if state.inflater == nil { state.inflater = try BodyInflater(coding, start: part) }
        return try state.inflater?.inflate(part: part, receivePart) ?? true
    }

    private func finish(_ state: inout State, mayBeKept: Bool) -> Outcome {
        let isStreamed = state.parser.streamsBody
        if isStreamed, let inflater = state.inflater, !inflater.isAtEnd {
            return close(&state, .response(.endedEarly(hasHead: true), hasBytes: true))
        }
        guard let exchange = state.exchange, let (head, body) = state.parser.takeResponse() else {
            return close(&state, .response(.malformedHead, hasBytes: true))
        }
        let answer = Answer(
            exchange: exchange, result: .success(PlainResponse(head: head, body: body, isStreamed: isStreamed)))
        state.exchange = nil
        state.inflater = nil
        if mayBeKept, head.keepsConnection, state.sentCount == exchange.bytes.count {
            state.isKept = true
            return .free(answer)
        }
        _ = close(&state, nil)
        return .closed(answer)
    }

    /// Closes the socket and ends the exchange, if there is one, for a reason.
    func close(_ state: inout State, _ fault: PlainFault?) -> Outcome {
        if state.socket >= 0 {
            // That it is watched no longer comes with it.
            Glibc.close(state.socket)
            state.socket = -1
        }
        state.phase = .closed
        defer {
            state.parser = ResponseParser()
            state.inflater = nil
        }
        guard let exchange = state.exchange, let fault else { return .closed(nil) }
        state.exchange = nil
        if exchange.statusSuffices, fault.concernsResponse, let head = state.parser.head {
            let begun = PlainResponse(head: head, body: state.parser.body, isStreamed: state.parser.streamsBody)
            return .closed(Answer(exchange: exchange, result: .success(begun)))
        }
        return .closed(Answer(exchange: exchange, result: .failure(fault)))
    }

    /// Why a socket could not connect; nil where it could.
    static func error(of socket: Int32) -> Int32? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return errno }
        return code == 0 ? nil : code
    }
}

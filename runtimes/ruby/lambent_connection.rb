# frozen_string_literal: true

# The bootstrap's end of the frames that src/invoke/frames.ts describes; every write is finished before it returns.

require "socket"

module Lambent
  # One invocation, which is to a function's own marshaller what AWS's is: a request with headers and a body.
  class Invocation
    STRINGS = %i[request_id function_arn trace_header client_context cognito_identity].freeze
    HEADERS = {
      "content-type" => ->(_) { "application/json" },
      "lambda-runtime-aws-request-id" => :request_id.to_proc,
      "lambda-runtime-deadline-ms" => ->(invocation) { invocation.deadline_ms.to_s },
      "lambda-runtime-invoked-function-arn" => :function_arn.to_proc,
      "lambda-runtime-trace-id" => :trace_header.to_proc,
      "lambda-runtime-client-context" => :client_context.to_proc,
      "lambda-runtime-cognito-identity" => :cognito_identity.to_proc
    }.freeze

    attr_reader :deadline_ms, :body, *STRINGS

    def initialize(bytes)
      @deadline_ms = bytes.unpack1("G").to_i
      offset = 8
      STRINGS.each do |name|
        length = bytes.unpack1("N", offset: offset)
        instance_variable_set(:"@#{name}", bytes.byteslice(offset + 4, length).force_encoding(Encoding::UTF_8))
        offset += 4 + length
      end
      @body = bytes.byteslice(offset..).force_encoding(Encoding::UTF_8)
    end

    def [](header)
      value = HEADERS[header.downcase]&.call(self)
      value unless value.nil? || value.empty?
    end
  end

  class Connection
    VERSION = 1
    HELLO = 1
    INIT_RESULT = 2
    INVOKE = 3
    RESPONSE = 4
    ERROR = 5
    LOG = 6
    FATAL = 7
    READY = 8
    ASSIGN = 9

    # A response above this is not sent, only its size told; the server's own limit is lower.
    RESPONSE_BYTES_MAX = 16_000_000
    # What is longer than this is logged in pieces.
    LOG_BYTES_MAX = 1_048_576

    def initialize(path)
      @socket = UNIXSocket.new(path)
      @pid = Process.pid
      # Threads of the function may log at the same time.
      @lock = Mutex.new
      send_frame(HELLO, [VERSION, @pid].pack("CN"))
    end

    # Whether this is the process that it was opened in, and no child of it.
    def own?
      Process.pid == @pid
    end

    # Says that this process waits to be told what it is for. Answers its working directory and its environment.
    def assignment
      send_frame(READY)
      body = next_frame(ASSIGN)
      strings = []
      offset = 0
      while offset < body.bytesize
        length = body.unpack1("N", offset: offset)
        # As ENV reads what a process was started with.
        strings << body.byteslice(offset + 4, length).force_encoding(Encoding.find("locale"))
        offset += 4 + length
      end
      [strings.shift, Hash[*strings]]
    end

    def next_invocation
      Invocation.new(next_frame(INVOKE))
    end

    def init_succeeded
      send_frame(INIT_RESULT, "\x01", string(""))
    end

    def init_failed(error_type, payload)
      send_frame(INIT_RESULT, "\x00", string(error_type), payload)
    end

    def respond(request_id, payload)
      size = payload.bytesize
      return send_frame(RESPONSE, string(request_id), payload) if size <= RESPONSE_BYTES_MAX

      type = "Function.ResponseSizeTooLarge"
      message = "Response payload size (#{size} bytes) exceeded maximum allowed payload size (6291556 bytes)."
      fail(request_id, type, %({"errorType":"#{type}","errorMessage":"#{message}"}))
    end

    # `is_fatal`: this process is about to end.
    def fail(request_id, error_type, payload, is_fatal: false)
      send_frame(is_fatal ? FATAL : ERROR, string(request_id), string(error_type), payload)
    end

    # `is_record`: a whole record, whose line breaks are part of it; else bytes as the function wrote them.
    # Answers false where nothing can be sent: in a signal's trap, and in a child that the function forked.
    def log(is_record, text)
      return false unless own?

      bytes = text.b
      is_whole = bytes.bytesize <= LOG_BYTES_MAX
      kind = [is_record && is_whole ? 1 : 0, 0].pack("CC")
      return send_frame(LOG, kind, bytes) if is_whole

      0.step(bytes.bytesize - 1, LOG_BYTES_MAX) { |at| send_frame(LOG, kind, bytes.byteslice(at, LOG_BYTES_MAX)) }
      true
    rescue ThreadError
      false
    end

    private

    def next_frame(type)
      loop do
        frame = read(read(4).unpack1("N"))
        return frame.byteslice(1..) if frame.getbyte(0) == type
      end
    end

    def read(length)
      bytes = @socket.read(length)
      # Without the server there is no work left.
      Process.exit!(1) if bytes.nil? || bytes.bytesize < length
      bytes
    rescue SystemCallError
      Process.exit!(1)
    end

    def send_frame(type, *parts)
      head = [1 + parts.sum(&:bytesize), type].pack("NC")
      # A timeout of the function's must not end a frame in the middle.
      Thread.handle_interrupt(Object => :never) do
        @lock.synchronize { @socket.write(head, *parts) }
      end
      true
    rescue SystemCallError
      Process.exit!(1)
    end

    def string(text)
      bytes = text.b
      [bytes.bytesize].pack("N") << bytes
    end
  end
end

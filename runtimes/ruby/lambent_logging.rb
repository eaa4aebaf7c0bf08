# frozen_string_literal: true

# puts, Logger, the standard streams and the runtime's own error lines, in AWS's formats.

require "json"
require "logger"
require "stringio"
require "time"

module Lambent
  module Logging
    LEVELS = {
      "TRACE" => Logger::DEBUG, "DEBUG" => Logger::DEBUG, "INFO" => Logger::INFO,
      "WARN" => Logger::WARN, "ERROR" => Logger::ERROR, "FATAL" => Logger::FATAL
    }.freeze

    class << self
      # Sends what the function writes in order with everything else.
      def setup(connection)
        @connection = connection
        @is_json = ENV["AWS_LAMBDA_LOG_FORMAT"].to_s.casecmp?("JSON")
        @level = LEVELS[ENV["AWS_LAMBDA_LOG_LEVEL"].to_s.upcase]
        [STDOUT, STDERR].each do |stream|
          stream.sync = true
          stream.extend(Captured)
          stream.instance_variable_set(:@is_mid_line, false)
        end
      end

      # One whole record, whatever lines it has.
      def record(text)
        frame(true, text) || STDOUT.syswrite(text)
      end

      # Bytes as they were written. False where they cannot be sent.
      def frame(is_record, text)
        !@connection.nil? && @connection.log(is_record, text)
      end

      # The lines of an error that no handler of the function rescued. With JSON logs too: only what Logger writes is JSON then.
      def error(message, report)
        record("#{message}\n")
        record("#{report.lines}\n")
      end

      # What a Logger of the function's is given that writes to the log.
      def options_for(options)
        formatter = @is_json ? JsonFormatter.new : TextFormatter.new
        formatter.datetime_format = options[:datetime_format]
        { formatter: formatter, level: @level }.compact.merge(options) { |_, ours, theirs| theirs || ours }
      end
    end

    # Of a standard stream: what is written becomes frames; its descriptor stays what it is, and children inherit it.
    module Captured
      def write(*parts)
        bytes = parts.map { |part| part.to_s.b }.join
        return super unless Logging.frame(false, bytes)

        @is_mid_line = !bytes.end_with?("\n") unless bytes.empty?
        bytes.bytesize
      end

      # Whether what was written last is no whole line.
      def mid_line?
        @is_mid_line
      end
    end

    # What a Logger writes to instead of a standard stream.
    module Sink
      module_function

      def write(text)
        Logging.record(text)
      end

      def close; end

      def reopen(*)
        self
      end
    end

    # Loggers of the function's that have no device, or a standard stream.
    module LoggerPatch
      def initialize(device = nil, *rotation, **options)
        return super unless device.nil? || device.equal?($stdout) || device.equal?($stderr)

        super(Sink, *rotation, **Logging.options_for(options))
      end
    end

    # Text as Ruby's own formatter writes it, with the request's id.
    class TextFormatter < Logger::Formatter
      def call(severity, time, progname, message)
        "#{severity[0]}, [#{format_datetime(time)} ##{Process.pid}] #{severity.rjust(5)} #{$_global_aws_request_id} -- " \
          "#{progname}: #{msg2str(message)}\n"
      end
    end

    # An object a line, as AWS's runtime writes since its version of March 2026.
    class JsonFormatter < Logger::Formatter
      def call(severity, time, progname, message)
        line = {
          timestamp: time.getutc.strftime("%Y-%m-%dT%H:%M:%S.%6NZ"),
          level: severity,
          message: text(message.is_a?(Exception) ? message.message : msg2str(message)),
          requestId: $_global_aws_request_id,
          logger: progname && text(progname)
        }
        line.update(described(message)) if message.is_a?(Exception)
        "#{JSON.generate(line.compact)}\n"
      end

      private

      def described(error)
        trace = (error.backtrace || []).map { |frame| text(frame) }
        file, line, method = trace.first.to_s.match(/\A(.+):(\d+):in [`'](.+)'\z/)&.captures
        {
          errorType: error.class.to_s,
          errorMessage: text(error.message),
          stackTrace: trace,
          location: file ? "#{file}:#{method}:#{line}" : trace.first
        }
      end

      def text(value)
        value.to_s.encode(Encoding::UTF_8, invalid: :replace, undef: :replace).scrub
      end
    end
  end
end

Logger.prepend(Lambent::Logging::LoggerPatch)

module Kernel
  # Not as a redefinition, of which Ruby would warn.
  remove_method :puts

  private

  # One record, as on AWS, where several lines of it are one event; what ends a line that print began is no record of its own.
  def puts(*values)
    return $stdout.puts(*values) if !$stdout.equal?(STDOUT) || STDOUT.mid_line?

    text = StringIO.new
    text.puts(*values)
    Lambent::Logging.record(text.string)
    nil
  end
end

module Warning
  remove_method :warn

  # Ruby writes warnings past the object that stands for its stream, and so out of order.
  def warn(message, category: nil)
    $stderr.write(message) if category.nil? || Warning[category]
    nil
  end
end

# frozen_string_literal: true

# What went wrong, as AWS's runtime tells it to the caller and to the log.

require "json"

module Lambent
  # Raised by a handler's call; the handler's own error is its cause.
  class HandlerError < StandardError
    def initialize(is_critical)
      super()
      @is_critical = is_critical
    end

    # Whether the process ends with it.
    def critical?
      @is_critical
    end
  end

  class ErrorReport
    # Those that AWS names to the platform; all others are one type to it. The document has them all.
    NAMED = %w[ArgumentError NoMethodError Exception StandardError NameError LoadError SystemExit SystemStackError].freeze
    FRAMES_MAX = 100

    attr_reader :type

    # `phase`: Function or Init.
    def initialize(error, phase)
      name = "#{phase}<#{error.class}>"
      @type = NAMED.include?(error.class.to_s) ? name : "Function<UserException>"
      @document = { errorMessage: text(error.message), errorType: name, stackTrace: stack_trace(error) }
    end

    def payload
      JSON.generate(@document)
    end

    def lines
      JSON.pretty_generate(@document)
    end

    private

    # The function's own frames: the documented traces end where the runtime's begin.
    def stack_trace(error)
      frames = (error.backtrace_locations || error.backtrace || []).first(FRAMES_MAX).map { |frame| text(frame) }
      frames.take_while { |frame| !frame.start_with?("#{__dir__}/") }
    end

    # Whatever a function puts in an error, as text that JSON can hold.
    def text(value)
      text = value.to_s.dup
      text.force_encoding(Encoding::UTF_8) if text.encoding == Encoding::BINARY
      text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace).scrub
    end
  end
end

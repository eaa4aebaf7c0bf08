# frozen_string_literal: true

# What a process does while it waits for its function: it loads what most functions load, and runs its own code.

module Lambent
  module WarmUp
    # All of the standard library: a function that brings a file or a gem with such a name is not run by a process that waited.
    LIBRARIES = %w[
      date digest erb fileutils forwardable json logger net/http open3 openssl pp securerandom set shellwords stringio tempfile time
      timeout uri yaml zlib
    ].freeze

    # A connection that leads nowhere.
    module Nowhere
      module_function

      def own?
        true
      end

      def respond(_request_id, _payload); end

      def fail(_request_id, _error_type, payload, is_fatal:)
        raise payload.to_s if is_fatal
      end
    end

    # An event without a function.
    module Event
      module_function

      def [](_header)
        "application/json"
      end

      def body
        '{"warm": ["up"]}'
      end

      def deadline_ms
        0
      end

      %i[request_id function_arn trace_header client_context cognito_identity].each do |name|
        define_method(name) { "" }
        module_function name
      end
    end

    # A handler that answers with its event.
    module Echo
      module_function

      def call_handler(request:, context:)
        context.get_remaining_time_in_millis
        AwsLambda::Marshaller.marshall_response(request)
      end
    end

    class << self
      def run
        LIBRARIES.each { |name| load_library(name) }
        3.times { Lambent.run_one(Nowhere, Echo, Event) }
        # What is here now lives as long as the process; the collector finds it as old as it is.
        Process.respond_to?(:warmup) ? Process.warmup : GC.start
      end

      private

      # A distribution may leave parts of the library out.
      def load_library(name)
        require name
      rescue LoadError
        nil
      end
    end
  end
end

# frozen_string_literal: true

# How a handler is named, found and called, and what becomes of its event and its answer. The names of the classes are AWS's:
# functions see them in messages, and replace the marshaller's methods.

require "json"
require "stringio"
require_relative "lambent_errors"

module AwsLambda
  class Marshaller
    class << self
      # The event of a request.
      def marshall_request(request)
        request["Content-Type"] == "application/json" ? JSON.parse(request.body) : request.body
      end

      # The answer, in JSON; what can be read goes out as it is.
      def marshall_response(response)
        case response
        when StringIO, IO then [response, "application/unknown"]
        else response.to_json
        end
      end
    end
  end
end

# What the handler is called on: its `self`.
class LambdaHandler
  attr_reader :handler_file_name, :handler_method_name

  def initialize(env_handler:)
    parts = env_handler.split(".")
    case parts.size
    when 2 then @handler_file_name, @handler_method_name = parts
    when 3 then @handler_file_name, @handler_class, @handler_method_name = parts
    else raise ArgumentError, "Invalid handler #{parts}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD " \
                              "where FILENAME corresponds with an existing Ruby source file FILENAME.rb, CLASS is an " \
                              "optional module/class namespace and METHOD is a callable method. If using CLASS, " \
                              "METHOD must be a class-level method."
    end
  end

  # A method that is not there is missed in each invocation, not while loading: so does AWS's runtime.
  def call_handler(request:, context:)
    target = @handler_class ? Kernel.const_get(@handler_class) : self
    AwsLambda::Marshaller.marshall_response(target.__send__(@handler_method_name, event: request, context: context))
  rescue NameError
    # A NoMethodError is one too. AWS's runtime takes both for a program that cannot go on.
    raise Lambent::HandlerError, true
  rescue StandardError
    raise Lambent::HandlerError, false
  # SystemExit, NoMemoryError, SystemStackError.
  rescue Exception
    raise Lambent::HandlerError, true
  end
end

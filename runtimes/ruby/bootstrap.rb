# frozen_string_literal: true

# The Ruby runtime: loads the function's handler and runs one invocation after the other. Mounted at /var/runtime.

require_relative "lambent_connection"
require_relative "lambent_errors"
require_relative "lambent_logging"
require_relative "lambda_context"
require_relative "lambda_handler"

# What AWS's runtime has loaded before the function's code. Functions use it without requiring it; most do not use the client.
Object.autoload(:Net, "net/http")
Object.autoload(:URI, "uri")

module Lambent
  # With what AWS's runtime exits: after an error that no handler may go on from, and after one outside of it.
  CRITICAL_STATUS = 255
  INIT_STATUS = 252

  class << self
    def main
      waits = ENV.key?("_LAMBENT_WAITS")
      connection = Connection.new(ENV.delete("_LAMBENT_SOCKET"))
      become(*wait(connection)) if waits
      Logging.setup(connection)
      exit(run(connection, Process.pid))
    end

    # Runs one invocation. Answers whether this process may take another.
    def run_one(connection, handler, invocation)
      answer = handler.call_handler(
        request: AwsLambda::Marshaller.marshall_request(invocation),
        context: LambdaContext.new(invocation)
      )
      connection.respond(invocation.request_id, bytes_of(answer))
      true
    rescue HandlerError => error
      # A child that the handler forked and that left its code here: the answer is its parent's.
      raise error.cause unless connection.own?

      report = ErrorReport.new(error.cause, "Function")
      Logging.error(error.critical? ? "Critical exception from handler" : "Error raised from handler method", report)
      connection.fail(invocation.request_id, report.type, report.payload, is_fatal: error.critical?)
      !error.critical?
    end

    private

    # Of a process that was booted before it is known for which function.
    def wait(connection)
      # Not loaded for those that are booted for theirs.
      require_relative "lambent_warm_up"
      WarmUp.run
      connection.assignment
    end

    # Nothing of what this process was started with is left but what the function's has too.
    def become(working_directory, environment)
      ENV.replace(environment)
      # Entered anew: the function's code was mounted over what was there.
      Dir.chdir(working_directory)
      # Gems that were looked for while waiting were looked for in folders that were empty then.
      Gem::Specification.reset if defined?(Gem)
    end

    # The whole life of a function's process. Answers its exit status.
    def run(connection, pid)
      is_ready = false
      handler = load_handler
      connection.init_succeeded
      is_ready = true
      loop { return CRITICAL_STATUS unless run_one(connection, handler, take(connection)) }
    rescue Stopped
      0
    # LoadError, SyntaxError and SystemExit are no StandardErrors.
    rescue Exception => error
      raise if Process.pid != pid

      report = ErrorReport.new(error, "Init")
      Logging.error("Init error when loading handler #{ENV["_HANDLER"]}", report)
      connection.init_failed(report.type, report.payload) unless is_ready
      INIT_STATUS
    end

    def load_handler
      handler = LambdaHandler.new(env_handler: ENV["_HANDLER"].to_s)
      root = ENV["LAMBDA_TASK_ROOT"]
      $LOAD_PATH.unshift(root) unless $LOAD_PATH.include?(root)
      require handler.handler_file_name
      handler
    end

    # The next invocation, with what the function finds in its process meanwhile.
    def take(connection)
      invocation = next_invocation(connection)
      $_global_aws_request_id = invocation.request_id
      ENV["_X_AMZN_TRACE_ID"] = invocation.trace_header.empty? ? nil : invocation.trace_header
      invocation
    end

    def next_invocation(connection)
      connection.next_invocation
    rescue SignalException => signal
      puts "Next invocation HTTP request from the runtime interface client was interrupted with a #{signal} SIGNAL, " \
           "gracefully shutting down."
      raise Stopped
    end

    # An answer as the marshaller left it: JSON, or what is read as it is, with a content type that nobody asks for here.
    def bytes_of(answer)
      body, = answer
      body.respond_to?(:read) ? body.read.to_s : body.to_s
    end
  end

  # A signal came while there was nothing to do.
  class Stopped < StandardError; end
end

Lambent.main

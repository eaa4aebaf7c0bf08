# frozen_string_literal: true

# The context object, the handler's argument `context:`. https://docs.aws.amazon.com/lambda/latest/dg/ruby-context.html

require "json"

class LambdaContext
  attr_reader :aws_request_id, :invoked_function_arn, :log_group_name, :log_stream_name, :function_name,
              :memory_limit_in_mb, :function_version, :identity, :client_context, :deadline_ms, :tenant_id

  def initialize(invocation)
    @clock_diff = milliseconds(Process::CLOCK_REALTIME) - milliseconds(Process::CLOCK_MONOTONIC)
    @deadline_ms = invocation.deadline_ms
    @aws_request_id = invocation.request_id
    @invoked_function_arn = invocation.function_arn
    @log_group_name = ENV["AWS_LAMBDA_LOG_GROUP_NAME"]
    @log_stream_name = ENV["AWS_LAMBDA_LOG_STREAM_NAME"]
    @function_name = ENV["AWS_LAMBDA_FUNCTION_NAME"]
    @memory_limit_in_mb = ENV["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    @function_version = ENV["AWS_LAMBDA_FUNCTION_VERSION"]
    @identity = parsed(invocation.cognito_identity)
    @client_context = parsed(invocation.client_context)
    @tenant_id = nil
  end

  def get_remaining_time_in_millis
    [0, @deadline_ms - milliseconds(Process::CLOCK_MONOTONIC) - @clock_diff].max
  end

  private

  def milliseconds(clock)
    Process.clock_gettime(clock, :millisecond)
  end

  def parsed(text)
    JSON.parse(text) unless text.empty?
  end
end

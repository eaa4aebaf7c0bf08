package lambent;

import com.amazonaws.services.lambda.runtime.api.client.logging.LambdaContextLogger;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.DtoSerializers;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.LambdaError;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.LambdaRuntimeApiClient;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.dto.InvocationRequest;
import java.io.IOException;

/** What AWS's runtime interface client says and asks by HTTP, said in frames. */
final class FrameClient implements LambdaRuntimeApiClient {
    private final Connection connection;
    private boolean isReady = false;
    /** How the invocation failed. The client logs the error after it has told it: it goes out when nothing more is said of it. */
    private Failure failure;

    FrameClient(Connection connection) {
        this.connection = connection;
    }

    @Override
    public InvocationRequest nextInvocation() {
        if (!isReady) connection.initSucceeded();
        isReady = true;
        tellFailure(false);
        return connection.nextInvocation();
    }

    @Override
    public InvocationRequest nextInvocationWithExponentialBackoff(LambdaContextLogger logger) {
        return nextInvocation();
    }

    @Override
    public void reportInitError(LambdaError error) {
        connection.initFailed(error.errorType.getRapidError(), DtoSerializers.serialize(error.errorRequest));
    }

    @Override
    public void reportInvocationSuccess(String requestId, byte[] response) {
        connection.respond(requestId, response);
    }

    @Override
    public void reportInvocationError(String requestId, LambdaError error) {
        failure = new Failure(requestId, error.errorType.getRapidError(), DtoSerializers.serialize(error.errorRequest));
    }

    /** This process is about to end. */
    void end() {
        tellFailure(true);
    }

    private void tellFailure(boolean isFatal) {
        if (failure != null) connection.fail(failure.requestId(), failure.errorType(), failure.payload(), isFatal);
        failure = null;
    }

    private record Failure(String requestId, String errorType, byte[] payload) {}

    /** The before-checkpoint hooks have run. Returns in another life of this process. */
    @Override
    public void restoreNext() throws IOException {
        connection.sleepUntilRestored();
    }

    /** An after-restore hook failed; the client ends this process then. */
    @Override
    public void reportRestoreError(LambdaError error) {
        reportInitError(error);
    }
}

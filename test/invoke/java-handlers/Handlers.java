package test;

import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.amazonaws.services.lambda.runtime.events.S3Event;
import com.amazonaws.services.lambda.runtime.events.SQSEvent;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Handlers of every kind. Compiled for Java 8. */
public class Handlers implements RequestHandler<Map<String, Object>, Object> {
    private int calls;

    /** What a function may do by its event. */
    @Override
    public Object handleRequest(Map<String, Object> event, Context context) {
        calls++;
        LambdaLogger logger = context.getLogger();
        switch (String.valueOf(event.get("do"))) {
            case "context": return contextOf(context);
            case "environment": return environment();
            case "trace": return System.getProperty("com.amazonaws.xray.traceHeader");
            case "fail": throw new IllegalStateException("bad \u2603", new RuntimeException("the cause"));
            case "error": throw new StackOverflowError("deep");
            case "exit": System.exit(3); break;
            case "halt": Runtime.getRuntime().halt(0); break;
            case "memory": throw new OutOfMemoryError("of the test");
            case "sleep": sleep(60_000); break;
            case "spin": for (;;) if (calls < 0) break; break;
            case "size": return text((Integer) event.get("size"));
            case "length": return ((String) event.get("text")).length();
            case "log":
                System.out.print("out ");
                System.out.println("line");
                System.err.println("err\nof two lines");
                logger.log("one event\nof two lines\n");
                logger.log("bytes\n".getBytes(StandardCharsets.UTF_8));
                logger.log("at a level", LogLevel.WARN);
                Thread thread = new Thread(() -> System.out.println("of a thread"));
                thread.start();
                try { thread.join(); } catch (InterruptedException error) { throw new RuntimeException(error); }
                return null;
            case "interrupt":
                // A log line of a thread that is interrupted must not end the connection.
                Thread.currentThread().interrupt();
                System.out.println("interrupted");
                return Thread.currentThread().isInterrupted();
            case "loaded": return loaded();
            default: return calls;
        }
        return null;
    }

    private static Map<String, Object> contextOf(Context context) {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("name", context.getFunctionName());
        told.put("version", context.getFunctionVersion());
        told.put("memory", context.getMemoryLimitInMB());
        told.put("arn", context.getInvokedFunctionArn());
        told.put("id", context.getAwsRequestId());
        told.put("group", context.getLogGroupName());
        told.put("stream", context.getLogStreamName());
        told.put("remaining", context.getRemainingTimeInMillis());
        told.put("tenant", context.getTenantId());
        ClientContext client = context.getClientContext();
        told.put("client", client == null ? null : client.getClient().getAppTitle() + client.getCustom().get("a"));
        told.put("identity", context.getIdentity() == null ? null : context.getIdentity().getIdentityId());
        return told;
    }

    private static Map<String, Object> environment() {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("java", System.getProperty("java.version"));
        told.put("directory", System.getProperty("user.dir"));
        told.put("heap", Runtime.getRuntime().maxMemory());
        for (String name : new String[] {"AWS_EXECUTION_ENV", "_HANDLER", "TZ", "LANG", "LAMBDA_TASK_ROOT", "AWS_ACCESS_KEY_ID", "OWN"})
            told.put(name, System.getenv(name));
        return told;
    }

    /** Of the function's library, of its layer, and whether the function's own resources are found. */
    private static Object loaded() {
        List<Object> found = new ArrayList<>();
        for (String name : new String[] {"library.InLibrary", "layer.InLayer", "library.Both"}) {
            try {
                found.add(Class.forName(name).getField("FROM").get(null));
            } catch (ReflectiveOperationException error) {
                found.add(error.toString());
            }
        }
        found.add(Thread.currentThread().getContextClassLoader().getResource("data.txt") != null);
        return found;
    }

    private static String text(int size) {
        StringBuilder text = new StringBuilder();
        for (int at = 0; at < size; at++) text.append('x');
        return text.toString();
    }

    private static void sleep(long milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException error) {
            throw new RuntimeException(error);
        }
    }

    /** Bytes in, bytes out. */
    public static class Stream implements RequestStreamHandler {
        @Override
        public void handleRequest(InputStream input, OutputStream output, Context context) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (int one = input.read(); one != -1; one = input.read()) bytes.write(one);
            output.write('<');
            output.write(bytes.toByteArray());
            output.write('>');
        }
    }

    /** A plain class with plain methods. */
    public static class Plain {
        public String one(String name) {
            return "hello " + name;
        }

        public int sum(List<Integer> numbers, Context context) {
            int sum = 0;
            for (Object number : numbers) sum += ((Number) number).intValue();
            return sum;
        }

        public Person older(Person person) {
            person.setAge(person.getAge() + 1);
            return person;
        }

        public static String fixed(Object event) {
            return "static";
        }

        public void nothing(Map<String, Object> event) {}
    }

    /** Properties by getters and setters. */
    public static class Person {
        private String firstName;
        private int age;
        private List<String> tags;

        public String getFirstName() { return firstName; }
        public void setFirstName(String firstName) { this.firstName = firstName; }
        public int getAge() { return age; }
        public void setAge(int age) { this.age = age; }
        public List<String> getTags() { return tags; }
        public void setTags(List<String> tags) { this.tags = tags; }
    }

    /** AWS's own events. */
    public static class Events {
        public String s3(S3Event event) {
            return event.getRecords().get(0).getS3().getBucket().getName() + "/" + event.getRecords().get(0).getS3().getObject().getUrlDecodedKey()
                + " " + event.getRecords().get(0).getEventTime().getYear();
        }

        public String sqs(SQSEvent event) {
            SQSEvent.SQSMessage message = event.getRecords().get(0);
            return message.getBody() + " " + message.getMessageAttributes().get("a").getStringValue();
        }
    }

    /** Fails while it is made. */
    public static class Fails implements RequestHandler<Object, Object> {
        public Fails() { throw new IllegalArgumentException("in the constructor"); }

        @Override
        public Object handleRequest(Object event, Context context) { return null; }
    }

    /** Fails while it is loaded. */
    public static class FailsStatic implements RequestHandler<Object, Object> {
        static final int ZERO = 0;
        static final int ONE = 1 / ZERO;

        @Override
        public Object handleRequest(Object event, Context context) { return null; }
    }

    /** By log4j, with AWS's appender. */
    public static class Logs implements RequestHandler<Object, Object> {
        private static final org.apache.logging.log4j.Logger LOGGER = org.apache.logging.log4j.LogManager.getLogger(Logs.class);

        @Override
        public Object handleRequest(Object event, Context context) {
            LOGGER.info("by log4j", new RuntimeException("with a trace"));
            return null;
        }
    }
}

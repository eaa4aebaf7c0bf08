import jakarta.jms.BytesMessage;
import jakarta.jms.DeliveryMode;
import jakarta.jms.MapMessage;
import jakarta.jms.Message;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.util.List;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.broker.region.Destination;
import org.apache.activemq.command.ActiveMQQueue;
import org.apache.activemq.security.AuthenticationUser;
import org.apache.activemq.security.SimpleAuthenticationPlugin;

/**
 * A broker for tests that listens for AMQP, and sends messages as JMS clients do.
 * Arguments: port, folder, user, password, and a port for TLS if there is a key for it. Each line of the input is a command, its words separated by tabs; each is answered by a line.
 */
public class TestBroker {
  public static void main(String[] args) throws Exception {
    var broker = new BrokerService();
    broker.setBrokerName("test");
    broker.setDataDirectoryFile(new File(args[1]));
    broker.setUseJmx(false);
    broker.setUseShutdownHook(false);
    broker.getSystemUsage().getStoreUsage().setLimit(1L << 28);
    broker.getSystemUsage().getTempUsage().setLimit(1L << 24);
    var user = new AuthenticationUser(args[2], args[3], "users");
    broker.setPlugins(new org.apache.activemq.broker.BrokerPlugin[] {new SimpleAuthenticationPlugin(List.of(user))});
    broker.addConnector("amqp://127.0.0.1:" + args[0] + "?wireFormat.maxFrameSize=16777216");
    if (args.length > 4) broker.addConnector("amqp+ssl://localhost:" + args[4] + "?wireFormat.maxFrameSize=16777216");
    broker.start();
    broker.waitUntilStarted();
    var connection = new ActiveMQConnectionFactory(args[2], args[3], "vm://test").createConnection();
    connection.start();
    var session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    System.out.println("ready");
    var input = new BufferedReader(new InputStreamReader(System.in));
    for (var line = input.readLine(); line != null; line = input.readLine()) {
      var words = line.split("\t");
      System.out.println(words[0].equals("count") ? count(broker, words[1]) : send(session, words));
    }
    System.exit(0);
  }

  static String send(Session session, String[] words) throws Exception {
    Message message = switch (words[0]) {
      case "text" -> session.createTextMessage(words[2]);
      case "bytes" -> bytes(session, words[2]);
      case "map" -> map(session);
      default -> throw new IllegalArgumentException(words[0]);
    };
    if (words.length > 3) {
      message.setStringProperty("testKey", "testValue");
      message.setIntProperty("number", 7);
      message.setBooleanProperty("flag", true);
      message.setJMSType("kind");
      message.setJMSCorrelationID("correlated");
    }
    MessageProducer producer = session.createProducer(session.createQueue(words[1]));
    producer.setDeliveryMode(words.length > 3 ? DeliveryMode.NON_PERSISTENT : DeliveryMode.PERSISTENT);
    if (words.length > 3) producer.setPriority(6);
    producer.send(message);
    producer.close();
    return message.getJMSMessageID();
  }

  static Message bytes(Session session, String text) throws Exception {
    BytesMessage message = session.createBytesMessage();
    message.writeBytes(text.getBytes("UTF-8"));
    return message;
  }

  static Message map(Session session) throws Exception {
    MapMessage message = session.createMapMessage();
    message.setString("key", "value");
    return message;
  }

  static String count(BrokerService broker, String queue) throws Exception {
    Destination destination = broker.getDestination(new ActiveMQQueue(queue));
    return String.valueOf(destination.getDestinationStatistics().getMessages().getCount());
  }
}

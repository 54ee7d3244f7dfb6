import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ShutdownListener;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/**
 * Takes the appeals of one department into the current folder. Settings: AMQP_URL, DEPARTMENT.
 * Java 8 is enough; on the class path: amqp-client, slf4j-api and gson.
 *
 * inbox.jsonl holds every message once, in the order in which it came; appeals/CASE.json holds the newest of each case.
 * Put your own database in their place: what matters is the order "store, answer, acknowledge".
 */
public class Consumer {
    private static final Path INBOX = Paths.get("inbox.jsonl");
    private static final Path APPEALS = Paths.get("appeals");

    private final Set<String> seen = new HashSet<String>();
    private final Map<String, Integer> newest = new HashMap<String, Integer>();
    private final String department = System.getenv("DEPARTMENT");
    private final ConnectionFactory factory = new ConnectionFactory();
    private volatile long pause = 1; // seconds before the next try

    public static void main(String[] arguments) throws Exception {
        Consumer consumer = new Consumer();
        consumer.remember();
        while (true) {
            try {
                consumer.listen();
            } catch (Exception problem) {
                System.out.println("no connection, trying again: " + problem);
            }
            Thread.sleep(consumer.pause * 1000);
            consumer.pause = Math.min(consumer.pause * 2, 60); // after twenty deliveries a message is parked
        }
    }

    /** Reads back what was stored before a restart; a line torn by a crash was never acknowledged and comes again. */
    private void remember() throws Exception {
        factory.setUri(System.getenv("AMQP_URL"));
        factory.setAutomaticRecoveryEnabled(false); // whatever breaks, a channel or a connection: we begin again
        Files.createDirectories(APPEALS);
        if (!Files.exists(INBOX)) {
            return;
        }
        for (String line : Files.readAllLines(INBOX, StandardCharsets.UTF_8)) {
            try {
                note(new JsonParser().parse(line).getAsJsonObject());
            } catch (RuntimeException torn) {
                System.out.println("the last line was cut by a crash");
            }
        }
    }

    /** Reads the queue until anything breaks; what is not acknowledged then comes again. */
    private void listen() throws Exception {
        final CountDownLatch ended = new CountDownLatch(1);
        ShutdownListener over = cause -> ended.countDown();
        Connection connection = factory.newConnection();
        try {
            final Channel in = connection.createChannel();
            final Channel out = connection.createChannel();
            connection.addShutdownListener(over);
            in.addShutdownListener(over);
            out.addShutdownListener(over);
            out.confirmSelect();
            in.basicQos(50);
            in.basicConsume("dept." + department, false, new DefaultConsumer(in) {
                @Override
                public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
                    try {
                        take(in, out, envelope.getDeliveryTag(), properties.getMessageId(), body);
                    } catch (Exception problem) {
                        System.out.println("not stored or not answered, it comes again: " + problem);
                        ended.countDown();
                    }
                }

                @Override
                public void handleCancel(String tag) {
                    ended.countDown(); // the queue is gone for now
                }
            });
            System.out.println("listening");
            ended.await();
        } finally {
            connection.abort(10000);
        }
    }

    private void take(Channel in, Channel out, long tag, String id, byte[] body) throws Exception {
        JsonObject message = read(body);
        if (message == null) {
            System.out.println("cannot read " + id);
            in.basicNack(tag, false, false); // the centre parks it
            return;
        }
        store(message, body);
        if (message.get("type").getAsString().equals("appeal.dispatched.v1")) {
            answer(out, message);
        }
        in.basicAck(tag, false);
        pause = 1;
    }

    private static JsonObject read(byte[] body) {
        try {
            JsonObject message = new JsonParser().parse(new String(body, StandardCharsets.UTF_8)).getAsJsonObject();
            message.get("id").getAsString();
            if (!message.get("type").getAsString().startsWith("appeal.")) {
                return message; // of no one case
            }
            JsonObject data = message.getAsJsonObject("data");
            data.get("case").getAsString();
            data.get("sequence").getAsInt();
            return message;
        } catch (RuntimeException unreadable) {
            return null;
        }
    }

    /** Keeps the message once, and brings the appeal up to date unless something newer is already there. */
    private synchronized void store(JsonObject message, byte[] body) throws IOException {
        if (seen.contains(message.get("id").getAsString())) {
            return; // a repeat
        }
        try (FileOutputStream file = new FileOutputStream(INBOX.toFile(), true)) {
            file.write((message.toString() + "\n").getBytes(StandardCharsets.UTF_8));
            file.getFD().sync();
        }
        if (note(message)) {
            Path made = APPEALS.resolve(message.getAsJsonObject("data").get("case").getAsString() + ".json");
            Path draft = APPEALS.resolve("draft.tmp");
            Files.write(draft, body);
            Files.move(draft, made, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Says whether it is the newest of its case. */
    private boolean note(JsonObject message) {
        seen.add(message.get("id").getAsString());
        if (!message.get("type").getAsString().startsWith("appeal.")) {
            return false; // what became of our feedback: or a statement: kept, and no appeal
        }
        JsonObject data = message.getAsJsonObject("data");
        String number = data.get("case").getAsString();
        int sequence = data.get("sequence").getAsInt();
        Integer known = newest.get(number);
        if (known != null && known >= sequence) {
            return false; // late: kept, but it does not win
        }
        newest.put(number, sequence);
        return true;
    }

    /** Tells the centre that a program has it; nobody has looked yet. The same id again is dropped there. */
    private void answer(Channel out, JsonObject message) throws Exception {
        JsonObject data = message.getAsJsonObject("data");
        JsonObject feedback = new JsonObject();
        feedback.addProperty("kind", "received");
        feedback.addProperty("id", "received-" + message.get("id").getAsString());
        feedback.addProperty("case", data.get("case").getAsString());
        feedback.addProperty("dispatch", data.get("dispatch").getAsString());
        feedback.addProperty("at", Instant.now().toString());
        feedback.addProperty("handler", "接收程序");
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
            .userId(factory.getUsername()) // the broker checks it
            .contentType("application/json").deliveryMode(2).build();
        out.basicPublish("feedback", department, properties, feedback.toString().getBytes(StandardCharsets.UTF_8));
        out.waitForConfirmsOrDie(10000);
    }
}

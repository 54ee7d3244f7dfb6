import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
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

    public static void main(String[] arguments) throws Exception {
        Consumer consumer = new Consumer();
        consumer.remember();
        while (true) {
            try {
                consumer.listen();
                return;
            } catch (IOException problem) {
                System.out.println("no connection, trying again: " + problem);
                Thread.sleep(1000);
            }
        }
    }

    /** Reads back what was stored before a restart; a line torn by a crash was never acknowledged and comes again. */
    private void remember() throws Exception {
        factory.setUri(System.getenv("AMQP_URL"));
        factory.setNetworkRecoveryInterval(1000); // lost connections come back by themselves, consumers with them
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

    private void listen() throws Exception {
        Connection connection = factory.newConnection();
        final Channel in = connection.createChannel();
        final Channel out = connection.createChannel();
        out.confirmSelect();
        in.basicQos(50);
        in.basicConsume("dept." + department, false, new DefaultConsumer(in) {
            @Override
            public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
                try {
                    JsonObject message = read(body);
                    if (message == null) {
                        System.out.println("cannot read " + properties.getMessageId());
                        in.basicNack(envelope.getDeliveryTag(), false, false); // the centre parks it
                        return;
                    }
                    store(message, body);
                    if (message.get("type").getAsString().equals("appeal.dispatched.v1")) {
                        answer(out, message);
                    }
                    in.basicAck(envelope.getDeliveryTag(), false);
                } catch (Exception problem) { // not acknowledged: it comes again
                    System.out.println("not stored, it comes again: " + problem);
                }
            }
        });
        System.out.println("listening");
        Thread.currentThread().join();
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

import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.regex.Pattern;

/**
 * 上报文件，等待处理完毕，打印结果 / Hand in a file, wait, print the outcome. Java 11+: java Upload.java forms.csv
 * PILOT_URL: 平台网址 / address of the portal    PILOT_KEY: 密钥 / key
 */
public class Upload {
    static final String PORTAL = System.getenv("PILOT_URL");
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    static HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create(PORTAL + path))
            .header("Authorization", "Bearer " + System.getenv("PILOT_KEY"));
    }

    static String send(HttpRequest request) throws Exception {
        var response = CLIENT.send(request, BodyHandlers.ofString());
        if (response.statusCode() >= 400) {
            System.out.println(response.body());
            System.exit(1);
        }
        return response.body();
    }

    public static void main(String[] args) throws Exception {
        Path file = Path.of(args[0]);
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
        String name = URLEncoder.encode(file.getFileName().toString(), StandardCharsets.UTF_8);
        String job = send(to("/api/v1/uploads/?name=" + name)
            .header("Content-Type", "application/octet-stream")
            .header("Idempotency-Key", "file-" + Base64.getUrlEncoder().encodeToString(digest))
            .POST(BodyPublishers.ofFile(file))
            .build());
        // 正式系统请使用 JSON 库 / use a JSON library in earnest
        var url = Pattern.compile("\"url\":\"([^\"]+)\"").matcher(job);
        if (!url.find()) {
            throw new IllegalStateException(job);
        }
        String pause = System.getenv().getOrDefault("PILOT_PAUSE", "2");
        while (!job.contains("\"done\":true")) {
            Thread.sleep((long) (Double.parseDouble(pause) * 1000));
            job = send(to(url.group(1)).GET().build());
        }
        System.out.println(job);
    }
}

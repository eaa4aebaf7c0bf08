package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Counts the words of a text. */
public class Words implements RequestHandler<Words.Request, Words.Answer> {
    private static final Pattern WORD = Pattern.compile("\\p{L}+");

    @Override
    public Answer handleRequest(Request request, Context context) {
        Map<String, Integer> counts = new TreeMap<>();
        Matcher words = WORD.matcher(request.getText().toLowerCase());
        while (words.find()) counts.merge(words.group(), 1, Integer::sum);
        Map<String, Integer> sorted = new LinkedHashMap<>();
        counts.entrySet().stream()
                .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
                .forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
        return new Answer("Java " + System.getProperty("java.version"), sorted);
    }

    public static class Request {
        private String text;

        public String getText() {
            return text;
        }

        public void setText(String text) {
            this.text = text;
        }
    }

    public static class Answer {
        private final String language;
        private final Map<String, Integer> words;

        Answer(String language, Map<String, Integer> words) {
            this.language = language;
            this.words = words;
        }

        public String getLanguage() {
            return language;
        }

        public Map<String, Integer> getWords() {
            return words;
        }
    }
}

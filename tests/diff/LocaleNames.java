import java.io.PrintStream;
import java.text.DateFormatSymbols;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/** Prints the rows of lib/java/locale_names.c: `java LocaleNames.java`, with JDK 17. */
public class LocaleNames {
    static String row(Locale locale) {
        DateFormatSymbols symbols = DateFormatSymbols.getInstance(locale);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 12; i++) {
            text.append(symbols.getMonths()[i]).append('|');
        }
        for (int i = 0; i < 12; i++) {
            text.append(symbols.getShortMonths()[i]).append('|');
        }
        for (int i = 0; i < 7; i++) {
            text.append(symbols.getWeekdays()[(i + 1) % 7 + 1]).append('|');
        }
        for (int i = 0; i < 7; i++) {
            text.append(symbols.getShortWeekdays()[(i + 1) % 7 + 1]).append('|');
        }
        return text.append(String.join("|", symbols.getAmPmStrings())).append('|')
            .append(String.join("|", symbols.getEras())).toString();
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        Set<String> languages = new TreeSet<>(Set.of(Locale.getISOLanguages()));
        for (Locale locale : Locale.getAvailableLocales()) {
            languages.add(locale.getLanguage());
        }
        languages.remove("");
        String root = row(new Locale("xx"));
        out.println("root = " + root);
        for (String language : languages) {
            String row = row(new Locale(language));
            if (!row.equals(root)) {
                out.println("{\"" + language + "\", \"" + row + "\"},");
            }
        }
    }
}

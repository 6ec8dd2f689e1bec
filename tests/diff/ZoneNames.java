import java.text.DateFormatSymbols;
import java.util.Locale;

/** Prints zone, set of names, for lib/java/zone_names.c: `java ZoneNames.java`, with JDK 17. */
public class ZoneNames {
    public static void main(String[] arguments) {
        for (String[] zone : DateFormatSymbols.getInstance(Locale.ENGLISH).getZoneStrings()) {
            System.out.println(String.join("|", zone[0], zone[1], zone[2], zone[3], zone[4]));
        }
    }
}

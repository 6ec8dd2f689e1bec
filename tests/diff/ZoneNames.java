import java.text.DateFormatSymbols;
import java.text.SimpleDateFormat;
import java.util.Locale;
import java.util.TimeZone;

/** Prints zone, set of names and minutes, for lib/java/zone_names.c: `java ZoneNames.java`, with JDK 17. */
public class ZoneNames {
    static long minutes(String name) throws Exception {
        SimpleDateFormat format = new SimpleDateFormat("yyyy-MM-dd HH:mm z", Locale.ENGLISH);
        format.setTimeZone(TimeZone.getTimeZone("UTC"));
        return (1736942400000L - format.parse("2025-01-15 12:00 " + name).getTime()) / 60000;
    }

    public static void main(String[] arguments) throws Exception {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        for (String[] zone : DateFormatSymbols.getInstance(Locale.ENGLISH).getZoneStrings()) {
            System.out.print(String.join("|", zone[0], zone[1], zone[2], zone[3], zone[4]));
            for (int i = 1; i <= 4; i++) {
                System.out.print("|" + minutes(zone[i]));
            }
            System.out.println();
        }
    }
}

using System.Globalization;
using Millrace.Engine.Limits;
using Millrace.Storage;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Views;

/// <summary>Says which limits keep a run from working.</summary>
public static class LimitWaits
{
    /// <returns>Empty for a run that has all it needs.</returns>
    public static List<WaitingFor> Of(DbUnit db, Tenant tenant, Guid run)
    {
        var waits = new List<WaitingFor>();
        foreach (var place in LimitStore.Of(db, tenant, run))
        {
            if (place.Held != Held.Waits) continue;
            var most = place.Line.Name == WorkspaceLimits.Line ? LimitStore.OfWorkspace(db, tenant).Most ?? place.Most : LimitStore.Setting(db, tenant, place.Line.Name) ?? place.Most;
            waits.Add(new WaitingFor(WaitKind.Slot, place.Since, place.Kind == NeedKind.Quiet ? place.QuietAt : null, Detail(db, place, most)));
        }
        return waits;
    }

    private static string Detail(DbUnit db, LimitPlace place, int most)
    {
        var key = place.Line.Key.Length == 0 ? "" : $" for '{place.Line.Key}'";
        var before = LimitStore.CountBefore(db, place);
        var order = before switch { 0 => "it is the next", 1 => "one run is served before it", _ => string.Create(CultureInfo.InvariantCulture, $"{before} runs are served before it") };
        return place.Kind switch
        {
            NeedKind.Slot => string.Create(CultureInfo.InvariantCulture, $"It waits for a slot of the limit '{place.Line.Name}'{key}: {LimitStore.CountHeld(db, place.Line)} of {most} are taken, and {order}."),
            NeedKind.Rate => string.Create(CultureInfo.InvariantCulture, $"It waits for its start at the rate '{place.Line.Name}'{key}: {most} within {TimeSpan.FromMicroseconds(place.Micros)}, and {order}."),
            _ => $"It waits for a time without another start of '{place.Line.Name}'{key}: {TimeSpan.FromMicroseconds(place.Micros)}.",
        };
    }
}

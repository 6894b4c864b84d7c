using System.Text.Json;
using Millrace.Jq;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Journal;

/// <summary>Entries of extended tasks, as the journal holds them.</summary>
internal static class ExtensionEntries
{
    public const string Applied = "extension.applied", Passed = "extension.passed";

    public static void Write(ExtensionEntry e, Utf8JsonWriter to)
    {
        to.WriteString("e"u8, e is ExtensionEntry.Applied ? Applied : Passed);
        to.WriteNumber("step"u8, e.Step);
        if (e is not ExtensionEntry.Applied applied) return;
        to.WriteStartArray("layers"u8);
        foreach (var layer in applied.Layers) to.WriteNumberValue(layer);
        to.WriteEndArray();
    }

    public static ExtensionEntry Read(Json e, int step) => e["layers"].ArrayOrNull is { } layers
        ? new ExtensionEntry.Applied(step, [.. layers.Select(l => (int)l.AsNumber())])
        : new ExtensionEntry.Passed(step);
}

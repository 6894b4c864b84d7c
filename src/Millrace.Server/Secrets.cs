using System.Collections;
using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Storage;

namespace Millrace.Server;

/// <summary>
/// Secrets of the embedded shape, read once at the start: a JSON object of names and values in <c>data/secrets.json</c>, which
/// nobody but the owner may read, and variables <c>MILLRACE_SECRET_name</c>, which win. Values are never logged.
/// </summary>
public sealed class Secrets : ISecretSource
{
    public const string VariablePrefix = "MILLRACE_SECRET_";

    private const long FileBytesMax = 1 << 20;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private readonly JsonObject _values;

    private Secrets(JsonObject values) => _values = values;

    /// <exception cref="SettingsException">The file is no JSON object, too long, or others may read it.</exception>
    public static Secrets Load(string path, IDictionary variables)
    {
        var values = File.Exists(path) ? ReadFile(path) : JsonObject.Empty;
        foreach (DictionaryEntry variable in variables)
            if (variable.Key is string name && name.Length > VariablePrefix.Length && name.StartsWith(VariablePrefix, StringComparison.Ordinal))
                values = values.With(name[VariablePrefix.Length..], (string?)variable.Value ?? "");
        return new Secrets(values);
    }

    public Json? Find(Tenant tenant, string name) => tenant == Tenant.Default && _values.TryGet(name, out var value) ? value : (Json?)null;

    private static JsonObject ReadFile(string path)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0)
            throw new SettingsException($"Others may read {path}. Say: chmod 600 {path}");
        if (new FileInfo(path).Length > FileBytesMax) throw new SettingsException($"{path} is longer than {FileBytesMax} bytes.");
        try
        {
            return JsonText.Parse(File.ReadAllBytes(path)).ObjectOrNull ?? throw new SettingsException($"{path} has to be a JSON object of names and values.");
        }
        catch (JsonTextException e)
        {
            // Not the parser's message: it may quote what stands there.
            throw new SettingsException($"{path} is no JSON, line {e.Line}, column {e.Column}.");
        }
    }
}

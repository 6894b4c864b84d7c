using System.Globalization;
using System.Net;

namespace Millrace.Server;

/// <summary>A setting is wrong; the message says which, and what would be right.</summary>
public sealed class SettingsException(string message) : Exception(message);

/// <summary>How the process logs to its standard output: for people, or one JSON object a line.</summary>
public enum LogForm : byte { Text, Json }

/// <summary>
/// How this process serves. Each setting is an option (<c>--port 8001</c>) or a variable (<c>MILLRACE_PORT</c>); the
/// option wins.
/// </summary>
/// <param name="Port">TCP port; 0 takes a free one. Default 8000.</param>
/// <param name="Data">Folder of the database, the blobs and the secrets. Default <c>./data</c>.</param>
/// <param name="Web">Folder of the built web app; null serves none. Default <c>./web/dist</c> when it is there.</param>
public sealed record ServerSettings(int Port, string Data, string? Web)
{
    public const int PortDefault = 8000;

    public LogForm Log { get; init; }

    public string DatabasePath => Path.Combine(Data, "millrace.db");
    public string BlobsPath => Path.Combine(Data, "blobs");
    public string SecretsPath => Path.Combine(Data, "secrets.json");

    /// <exception cref="SettingsException">An option is unknown or has a wrong value.</exception>
    public static ServerSettings Parse(IReadOnlyList<string> args, Func<string, string?> variable)
    {
        var options = Options(args);
        string? Value(string name) => options.GetValueOrDefault(name) ?? (variable($"MILLRACE_{name.ToUpperInvariant()}") is { Length: > 0 } set ? set : null);
        RequireLoopback("--host", Value("host"));
        foreach (var foreign in (string[])["ASPNETCORE_URLS", "URLS"])
            foreach (var url in (variable(foreign) ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries)) RequireLoopback(foreign, HostOf(url));
        return new ServerSettings(
            ParsePort(Value("port")),
            Path.GetFullPath(Value("data") ?? "data"),
            Value("web") is { } web ? Existing(web) : Directory.Exists("web/dist") ? Path.GetFullPath("web/dist") : null)
        {
            Log = ParseLog(Value("log")),
        };
    }

    private static Dictionary<string, string> Options(IReadOnlyList<string> args)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Count; i++)
        {
            var (name, inline) = args[i].Split('=', 2) is [var left, var right] ? (left, right) : (args[i], null);
            if (name is not ("--port" or "--data" or "--web" or "--host" or "--log")) throw new SettingsException($"'{args[i]}' is no setting: expected --port, --data, --web, --host or --log.");
            var value = inline ?? (++i < args.Count ? args[i] : throw new SettingsException($"{name} needs a value."));
            if (!options.TryAdd(name[2..], value)) throw new SettingsException($"{name} is given twice.");
        }
        return options;
    }

    private static int ParsePort(string? text)
    {
        if (text is null) return PortDefault;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= IPEndPoint.MaxPort
            ? port
            : throw new SettingsException($"'{text}' is no port: expected a number from 0 to {IPEndPoint.MaxPort}.");
    }

    private static LogForm ParseLog(string? text) => text switch
    {
        null or "text" => LogForm.Text,
        "json" => LogForm.Json,
        _ => throw new SettingsException($"'{text}' is no form of log: expected text or json."),
    };

    private static string Existing(string folder) =>
        Directory.Exists(folder) ? Path.GetFullPath(folder) : throw new SettingsException($"There is no folder {folder} with a web app.");

    /// <summary>Whoever reaches the port may do everything, so only this machine reaches it.</summary>
    private static void RequireLoopback(string setting, string? host)
    {
        if (host is null || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return;
        if (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address)) return;
        throw new SettingsException(
            $"{setting} is '{host}', which other machines could reach. This version has no login and serves 127.0.0.1 only; put a proxy with a login in front of it.");
    }

    private static string HostOf(string url) => Uri.TryCreate(url, UriKind.Absolute, out var address) ? address.Host : url;
}

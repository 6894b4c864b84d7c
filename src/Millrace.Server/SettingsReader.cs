using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Millrace.Engine.Execution;

namespace Millrace.Server;

/// <summary>Reads the settings from options and variables, and checks that they fit together.</summary>
internal sealed class SettingsReader(IReadOnlyList<string> args, Func<string, string?> variable)
{
    private static readonly string[] Names =
        ["port", "data", "web", "host", "log", "role", "database", "redis", "blobs", "lanes", "lease-seconds", "drain-seconds", "event-days", "authorities", "open-network"];

    private readonly Dictionary<string, string> _options = Options(args);

    public ServerSettings Read()
    {
        var open = Flag("open-network");
        var host = Host("--host", Value("host"), open);
        foreach (var foreign in (string[])["ASPNETCORE_URLS", "URLS"])
            foreach (var url in (variable(foreign) ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries)) Host(foreign, HostOf(url), open);
        var settings = new ServerSettings(
            Number("port", 0, IPEndPoint.MaxPort) ?? ServerSettings.PortDefault,
            Path.GetFullPath(Value("data") ?? "data"),
            Value("web") is { } web ? Existing(web) : Directory.Exists("web/dist") ? Path.GetFullPath("web/dist") : null)
        {
            Log = ParseLog(Value("log")),
            Roles = ParseRoles(Value("role")),
            Host = host,
            OpenNetwork = open,
            Database = Value("database"),
            Redis = Value("redis"),
            Blobs = Value("blobs"),
            S3AccessKey = variable("MILLRACE_S3_ACCESS_KEY"),
            S3SecretKey = variable("MILLRACE_S3_SECRET_KEY"),
            Authorities = Value("authorities") is { } file ? Certificates(file) : null,
            Lanes = ParseLanes(Value("lanes")),
            LeaseSeconds = Number("lease-seconds", 1, 600) ?? 6,
            DrainSeconds = Number("drain-seconds", 0, 3_600) ?? 10,
            EventDays = Number("event-days", 1, 3_650) ?? 7,
        };
        Check(settings);
        return settings;
    }

    /// <summary>One process alone may open a file; several share a server.</summary>
    private static void Check(ServerSettings settings)
    {
        if (settings.IsPostgres) return;
        if (settings.Roles != Roles.All) throw new SettingsException("A process with the role of api, worker or scheduler alone needs a database that others can use: set --database postgres://…");
        if (settings.Redis is not null) throw new SettingsException("Redis joins processes that share a PostgreSQL database; with a SQLite file there is only one.");
        if (settings.Database?.Contains("://", StringComparison.Ordinal) == true) throw new SettingsException("--database is postgres://user:password@host:port/name, or the path of a SQLite file.");
    }

    private static Dictionary<string, string> Options(IReadOnlyList<string> args)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Count; i++)
        {
            var (name, inline) = args[i].Split('=', 2) is [var left, var right] ? (left, right) : (args[i], null);
            if (!name.StartsWith("--", StringComparison.Ordinal) || !Names.Contains(name[2..]))
                throw new SettingsException($"'{args[i]}' is no setting: expected {string.Join(", ", Names[..^1].Select(n => $"--{n}"))} or --{Names[^1]}.");
            var value = inline ?? (++i < args.Count ? args[i] : throw new SettingsException($"{name} needs a value."));
            if (!options.TryAdd(name[2..], value)) throw new SettingsException($"{name} is given twice.");
        }
        return options;
    }

    private string? Value(string name) =>
        _options.GetValueOrDefault(name) ?? (variable($"MILLRACE_{name.ToUpperInvariant().Replace('-', '_')}") is { Length: > 0 } set ? set : null);

    private int? Number(string name, int least, int most)
    {
        if (Value(name) is not { } text) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new SettingsException($"'{text}' is no {name}: expected a number from {least} to {most}.");
    }

    private bool Flag(string name) => Value(name) switch
    {
        null or "false" => false,
        "true" => true,
        var text => throw new SettingsException($"--{name} is true or false, not '{text}'."),
    };

    private static LogForm ParseLog(string? text) => text switch
    {
        null or "text" => LogForm.Text,
        "json" => LogForm.Json,
        _ => throw new SettingsException($"'{text}' is no form of log: expected text or json."),
    };

    private static Roles ParseRoles(string? text)
    {
        var roles = Roles.None;
        foreach (var word in (text ?? "all").Split(',', StringSplitOptions.TrimEntries))
        {
            roles |= word switch
            {
                "all" => Roles.All,
                "api" => Roles.Api,
                "worker" => Roles.Worker,
                "scheduler" => Roles.Scheduler,
                _ => throw new SettingsException($"'{word}' is no role: expected all, or some of api, worker, scheduler with commas between."),
            };
        }
        return roles;
    }

    /// <summary>Such as <c>io=4096,cpu=2,sandbox=16</c>; those left out keep their default.</summary>
    private static LaneSettings? ParseLanes(string? text)
    {
        if (text is null) return null;
        var defaults = new EngineSettings();
        var lanes = new LaneSettings(defaults.IoMax, defaults.CpuMax, defaults.SandboxMax);
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (part.Split('=') is not [var lane, var digits] || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var slots) || slots is < 1 or > 100_000)
                throw new SettingsException($"'{part}' is no lane: expected io=N, cpu=N or sandbox=N with N from 1 to 100000.");
            lanes = lane switch
            {
                "io" => lanes with { Io = slots },
                "cpu" => lanes with { Cpu = slots },
                "sandbox" => lanes with { Sandbox = slots },
                _ => throw new SettingsException($"'{lane}' is no lane: expected io, cpu or sandbox."),
            };
        }
        return lanes;
    }

    private static string Existing(string folder) =>
        Directory.Exists(folder) ? Path.GetFullPath(folder) : throw new SettingsException($"There is no folder {folder} with a web app.");

    private static string Certificates(string file)
    {
        try
        {
            var all = new X509Certificate2Collection();
            all.ImportFromPemFile(file);
            if (all.Count > 0) return Path.GetFullPath(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new SettingsException($"The file of certificate authorities {file} cannot be read: {e.Message}");
        }
        throw new SettingsException($"The file of certificate authorities {file} holds no certificate (PEM).");
    }

    /// <summary>Whoever reaches the port may do everything, so only this machine reaches it unless that is asked for.</summary>
    private static IPAddress Host(string setting, string? host, bool open)
    {
        if (host is null || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return IPAddress.Loopback;
        var known = IPAddress.TryParse(host.Trim('[', ']'), out var address);
        if (known && (open || IPAddress.IsLoopback(address!))) return address!;
        throw new SettingsException(known
            ? $"{setting} is '{host}', which other machines could reach. This version has no login and serves 127.0.0.1 only; put a proxy with a login in front of it, or say --open-network true where only trusted machines reach it."
            : $"{setting} is '{host}': expected an IP address. This version has no login and serves 127.0.0.1 only.");
    }

    private static string HostOf(string url) => Uri.TryCreate(url, UriKind.Absolute, out var address) ? address.Host : url;
}

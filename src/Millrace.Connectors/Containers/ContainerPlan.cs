using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Connectors.Containers;

/// <summary>The container that a task asks for, as the options of <c>create</c>.</summary>
internal sealed partial record ContainerPlan
{
    public const string KeyLabel = "millrace.key";
    public const string RemoveLabel = "millrace.remove-at";
    public const string EnvironmentFile = "container.env";

    public required string Name { get; init; }
    public required IReadOnlyList<string> Options { get; init; }

    /// <summary>Lines <c>NAME=value</c>.</summary>
    public required string Environment { get; init; }

    /// <summary>Values of more than one line, which no file can hold; they are handed on by the program's own environment.</summary>
    public required IReadOnlyDictionary<string, string> Handed { get; init; }

    public required bool Removed { get; init; }

    /// <summary>When it goes, if nothing else removes it; null: it stays.</summary>
    public required DateTimeOffset? GoesAt { get; init; }

    /// <summary>A container is of one step: where a task is tried again, the container that failed is not taken for the new one.</summary>
    public static string KeyOf(FunctionContext context) => $"{context.Run:N}-{context.Step.ToString(CultureInfo.InvariantCulture)}";

    /// <exception cref="Refusal">An argument is wrong.</exception>
    public static ContainerPlan Read(Arguments arguments, FunctionContext context, ContainerSettings settings)
    {
        var image = arguments.Text("image");
        if (image.Length == 0 || image.StartsWith('-') || image.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))) throw arguments.Invalid("image", "has to be the name of an image.");
        var name = arguments.TextOrNull("name") ?? $"millrace-{KeyOf(context)}";
        if (!ContainerName().IsMatch(name)) throw arguments.Invalid("name", "has to be 1 to 128 of the characters a-z, A-Z, 0-9, '_', '.' and '-', a letter or digit first.");
        var cleanup = arguments.MemberOrNull("lifetime")?.Choice("cleanup", "never", "always", "never", "eventually") ?? "never";
        List<string> options = ["--name", name, "--label", $"{KeyLabel}={KeyOf(context)}", "--pull", PullOf(arguments), .. settings.CreateOptions];
        DateTimeOffset? goes = cleanup == "eventually" ? GoesAtOf(arguments.Member("lifetime"), context) : null;
        if (goes is { } at) options.AddRange(["--label", string.Create(CultureInfo.InvariantCulture, $"{RemoveLabel}={at.ToUnixTimeSeconds()}")]);
        if (arguments.Has("stdin")) options.Add("--interactive");
        foreach (var (host, inside) in Pairs(arguments, "ports")) options.AddRange(["--publish", Port(arguments, host, inside)]);
        foreach (var (host, inside) in Pairs(arguments, "volumes")) options.AddRange(["--volume", Volume(arguments, host, inside)]);
        var (file, handed) = EnvironmentOf(arguments);
        if (file.Length > 0) options.AddRange(["--env-file", EnvironmentFile]);
        foreach (var (variable, _) in handed) options.AddRange(["--env", variable]);
        options.Add(image);
        // As the language's own example reads its arguments by $1 and $2, a command is one of a shell.
        if (arguments.TextOrNull("command") is { } command) options.AddRange(["sh", "-c", command, "sh"]);
        options.AddRange(arguments.TextsOrEmpty("arguments"));
        if (options.Exists(o => o.Contains('\0', StringComparison.Ordinal))) throw arguments.Invalid("command", "or another argument holds a zero character, which no process can be given.");
        return new ContainerPlan { Name = name, Options = options, Environment = file, Handed = handed, Removed = cleanup == "always", GoesAt = goes };
    }

    private static string PullOf(Arguments arguments) => arguments.Choice("pullPolicy", "ifNotPresent", "ifNotPresent", "always", "never") switch
    {
        "ifNotPresent" => "missing",
        var other => other,
    };

    /// <summary>Reads the value of <see cref="RemoveLabel"/>, seconds since 1970.</summary>
    public static bool TryReadTime(string text, out DateTimeOffset time)
    {
        var isTime = long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds();
        time = isTime ? DateTimeOffset.FromUnixTimeSeconds(seconds) : default;
        return isTime;
    }

    private static DateTimeOffset GoesAtOf(Arguments lifetime, FunctionContext context)
    {
        if (!Duration.TryParse(lifetime["after"], out var after, out var reason)) throw lifetime.Invalid("after", reason ?? "is missing.");
        var now = context.Time.GetUtcNow();
        return after < DateTimeOffset.MaxValue - now ? DateTimeOffset.FromUnixTimeSeconds((now + after).ToUnixTimeSeconds()) : DateTimeOffset.MaxValue;
    }

    private static IEnumerable<KeyValuePair<string, string>> Pairs(Arguments arguments, string key)
    {
        foreach (var (host, inside) in arguments.MapOrEmpty(key))
            yield return new(host, Arguments.TryScalarText(inside, out var text) ? text : throw Arguments.Wrong($"{arguments.PointerTo(key)}/{host}", "a string or a number", inside));
    }

    private static string Port(Arguments arguments, string host, string inside) => HostPort().IsMatch(host) && InnerPort().IsMatch(inside) ? $"{host}:{inside}"
        : throw arguments.Invalid("ports", $"has '{TextOf(host)}: {TextOf(inside)}'; on the left stands a port of the host, perhaps behind an address and a colon, on the right one of the container.");

    private static string Volume(Arguments arguments, string host, string inside) =>
        host.Length > 0 && inside.StartsWith('/') && !host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('-') ? $"{host}:{inside}"
        : throw arguments.Invalid("volumes", $"has '{TextOf(host)}: {TextOf(inside)}'; on the left stands a path of the host or a volume's name, on the right an absolute path of the container.");

    private static (string File, Dictionary<string, string> Handed) EnvironmentOf(Arguments arguments)
    {
        var file = new StringBuilder();
        var handed = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in arguments.MapOrEmpty("environment"))
        {
            if (!VariableName().IsMatch(name)) throw arguments.Invalid("environment", $"has '{TextOf(name)}', which is no name of a variable.");
            if (value.IsNull) continue;
            var text = value.StringOrNull ?? value.ToString();
            if (text.AsSpan().ContainsAny('\n', '\r')) handed[name] = text;
            else file.Append(name).Append('=').Append(text).Append('\n');
        }
        return (file.ToString(), handed);
    }

    private static string TextOf(string text) => text.Length <= 100 ? text : $"{text[..100]}…";

    [GeneratedRegex(@"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$", RegexOptions.CultureInvariant)]
    private static partial Regex ContainerName();

    [GeneratedRegex(@"^([0-9.]+:|\[[0-9a-fA-F:]+\]:)?\d{1,5}(-\d{1,5})?$", RegexOptions.CultureInvariant)]
    private static partial Regex HostPort();

    [GeneratedRegex(@"^\d{1,5}(-\d{1,5})?(/(tcp|udp|sctp))?$", RegexOptions.CultureInvariant)]
    private static partial Regex InnerPort();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]*$", RegexOptions.CultureInvariant)]
    private static partial Regex VariableName();
}

using System.Text;
using Millrace.Jq;

namespace Millrace.Cli.Inputs;

/// <summary>
/// A run's input from the command line. <c>--input</c> gives a whole value (JSON text, <c>@file</c>, or <c>-</c> for the
/// standard input); each <c>key=value</c> sets a member on top of it. A value that is JSON is taken as JSON
/// (<c>n=5</c>, <c>on=true</c>, <c>list=[1,2]</c>), anything else as text; <c>n='"5"'</c> forces text.
/// </summary>
internal static class InputArguments
{
    public const int BytesMax = 16 << 20;

    /// <param name="option">What the whole value was given by.</param>
    /// <param name="bytesMax">Of the whole value; by default what one request holds.</param>
    /// <returns>Null when the command line gives no input at all.</returns>
    /// <exception cref="UsageException">A part of it is wrong; the message says which.</exception>
    public static Json? Read(string? whole, IReadOnlyList<string> members, TextReader standardInput, string option = "--input", int bytesMax = BytesMax)
    {
        if (whole is null && members.Count == 0) return null;
        var input = whole is null ? Json.EmptyObject : ReadWhole(whole, standardInput, option, bytesMax);
        if (members.Count == 0) return input;
        var set = input.ObjectOrNull ?? throw new UsageException($"{option} is no JSON object, so key=value has nothing to set: {Shorten(input.ToString())}");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in members)
        {
            var (key, value) = Member(member);
            if (!seen.Add(key)) throw new UsageException($"'{key}' is given twice.");
            set = set.With(key, value);
        }
        return set;
    }

    /// <summary>
    /// A process on the server starts in a folder of its own, so a path typed here means nothing there. A <c>key=value</c> whose
    /// property in the input's schema has <c>format: path</c> is taken relative to the folder the command was typed in.
    /// </summary>
    public static Json WithAbsolutePaths(Json input, IReadOnlyList<string> members, Json schema)
    {
        var typed = input.AsObject();
        foreach (var member in members)
        {
            var (key, value) = Member(member);
            if (value.StringOrNull is { Length: > 0 } path && schema["properties"][key]["format"].StringOrNull == "path")
                typed = typed.With(key, Path.GetFullPath(path));
        }
        return typed;
    }

    private static (string Key, Json Value) Member(string member)
    {
        var equals = member.IndexOf('=', StringComparison.Ordinal);
        if (equals < 1) throw new UsageException($"'{member}' is no input: expected key=value.");
        var text = member[(equals + 1)..];
        try
        {
            return (member[..equals], JsonText.Parse(text));
        }
        catch (JsonTextException)
        {
            return (member[..equals], text);
        }
    }

    private static Json ReadWhole(string whole, TextReader standardInput, string option, int bytesMax)
    {
        var (name, text) = whole switch
        {
            "-" => ("the standard input", ReadBounded(standardInput, bytesMax)),
            ['@', .. var path] => (path, TextFile.Read(path, bytesMax)),
            _ => (option, whole),
        };
        try
        {
            return JsonText.Parse(text);
        }
        catch (JsonTextException e)
        {
            throw new UsageException($"{name} is no JSON, line {e.Line}, column {e.Column}: {e.Message}");
        }
    }

    private static string ReadBounded(TextReader reader, int charsMax)
    {
        var (text, buffer) = (new StringBuilder(), new char[1 << 16]);
        for (int length; (length = reader.Read(buffer)) > 0;)
            if (text.Append(buffer, 0, length).Length > charsMax) throw new UsageException($"The standard input is longer than {charsMax} characters.");
        return text.ToString();
    }

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "…";
}

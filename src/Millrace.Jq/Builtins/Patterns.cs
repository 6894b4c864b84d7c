using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Millrace.Jq.Evaluation;
using Millrace.Jq.Text;

namespace Millrace.Jq.Builtins;

/// <summary>Regular expressions: <c>test</c>, <c>match</c> and what is made of them.</summary>
internal static class Patterns
{
    private const int CacheMax = 512;
    private const int PatternLengthMax = 20_000;

    /// <summary>Matches at least this long count towards the time an evaluation may spend on them.</summary>
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(5);

    private static readonly ConcurrentDictionary<(string, string, bool, TimeSpan), Compiled> Cache = new();

    private sealed record Compiled(Regex? Regex, List<string?> Names, bool Global, string? Error);

    public static Json Test(Machine m, Json value, Json pattern, Json flags)
    {
        if (Prepare(m, value, ref pattern, ref flags, out var error) is not { } regex) return error;
        return Guarded(m, () => regex.Regex!.IsMatch(value.AsString()), value.AsString().Length);
    }

    public static Json Test(Machine m, Json value, Json pattern) => Test(m, value, pattern, default);

    /// <summary>All matches as an array of objects.</summary>
    public static Json Match(Machine m, Json value, Json pattern, Json flags)
    {
        if (Prepare(m, value, ref pattern, ref flags, out var error) is not { } regex) return error;
        var text = value.AsString();
        var matches = new Gathering();
        var places = new Places(text);
        foreach (var match in Find(m, regex, text))
        {
            m.Charge(250 + 200L * regex.Names.Count + 2L * match.Length * (1 + regex.Names.Count));
            var captures = new Json[regex.Names.Count];
            for (var i = 0; i < captures.Length; i++) captures[i] = Captured(match.Groups[$"_{i + 1}"], regex.Names[i], ref places);
            var offset = places.Of(match.Index);
            var length = places.Of(match.Index + match.Length) - offset;
            matches.Add(m, JsonObject.Own([
                new("offset", offset), new("length", length), new("string", match.Value), new("captures", JsonArray.Own(captures, captures.Length)),
            ]));
        }
        return matches.ToJson();
    }

    private static Json Captured(Group group, string? name, ref Places places)
    {
        if (!group.Success) return JsonObject.Own([new("offset", -1), new("length", 0), new("string", default), new("name", name)]);
        var offset = places.Of(group.Index);
        var length = places.Of(group.Index + group.Length) - offset;
        return JsonObject.Own([new("offset", offset), new("length", length), new("string", group.Value), new("name", name)]);
    }

    public static Json Split(Machine m, Json value, Json pattern, Json flags)
    {
        if (!flags.IsNull && !flags.IsString) return Fault.Type(flags, "is not a string");
        flags = "g" + flags.StringOrNull;
        if (Prepare(m, value, ref pattern, ref flags, out var error) is not { } regex) return error;
        var text = value.AsString();
        var parts = new Gathering();
        var from = 0;
        foreach (var match in Find(m, regex, text))
        {
            m.ChargeText(match.Index - from);
            parts.Add(m, text[from..match.Index]);
            from = match.Index + match.Length;
        }
        parts.Add(m, text[from..]);
        return parts.ToJson();
    }

    /// <summary>The named captures of a match as an object.</summary>
    public static Json Captures(Machine m, Json match)
    {
        var named = new JsonObject.Builder();
        foreach (var capture in match["captures"].AsArray().Span)
            if (capture["name"].StringOrNull is { } name) named.Set(name, capture["string"]);
        return named.Build();
    }

    /// <summary>Puts each match's replacements in its place: the first of every match makes the first result, and so on.</summary>
    public static Json Splice(Machine m, Json value, Json matches, Json inserts)
    {
        var text = value.AsString();
        var results = new List<StringBuilder>();
        int previous = 0, point = 0, at = 0;
        for (var i = 0; i < matches.AsArray().Count; i++)
        {
            var match = matches[i];
            Advance(text, (int)match["offset"].AsNumber(), ref point, ref at);
            var gap = text.AsSpan(previous, at - previous);
            var insertions = inserts[i].AsArray();
            for (var j = 0; j < insertions.Count; j++)
            {
                if (insertions[j].StringOrNull is not { } insert) return Fault.Types(gap.ToString(), insertions[j], "cannot be added");
                if (j == results.Count) results.Add(new StringBuilder());
                results[j].Append(gap).Append(insert);
                m.ChargeCopy(2L * (gap.Length + insert.Length));
            }
            Advance(text, (int)(match["offset"].AsNumber() + match["length"].AsNumber()), ref point, ref at);
            previous = at;
        }
        if (results.Count == 0) return Json.Array(value);
        m.ChargeText((long)(text.Length - previous) * results.Count);
        var spliced = new Json[results.Count];
        for (var j = 0; j < spliced.Length; j++) spliced[j] = results[j].Append(text.AsSpan(previous)).ToString();
        return JsonArray.Own(spliced, spliced.Length);
    }

    private static void Advance(string text, int toPoint, ref int point, ref int at)
    {
        at = Surrogates.Offset(text, toPoint - point, at);
        point = toPoint;
    }

    private static IEnumerable<Match> Find(Machine m, Compiled regex, string text)
    {
        var match = Guarded(m, () => regex.Regex!.Match(text), text.Length);
        while (match.Success)
        {
            // An empty match between the halves of a pair is no place in the text.
            var split = match.Index > 0 && match.Index < text.Length && char.IsLowSurrogate(text[match.Index]) && char.IsHighSurrogate(text[match.Index - 1]);
            if (!split) yield return match;
            if (!regex.Global && !split) yield break;
            var last = match;
            match = Guarded(m, last.NextMatch, 16);
        }
    }

    private static T Guarded<T>(Machine m, Func<T> work, int length)
    {
        m.Spend(1 + length / 64);
        var start = Stopwatch.GetTimestamp();
        try
        {
            var result = work();
            var elapsed = Stopwatch.GetElapsedTime(start);
            if (elapsed > Slow) m.SpendRegex(elapsed);
            return result;
        }
        catch (RegexMatchTimeoutException)
        {
            throw Machine.RegexReached(m.Options.Limits);
        }
    }

    private static Compiled? Prepare(Machine m, Json value, ref Json pattern, ref Json flags, out Json error)
    {
        error = default;
        if (pattern.ArrayOrNull is { Count: > 0 } pair)
        {
            pattern = pair[0];
            if (pair.Count > 1) flags = pair[1];
        }
        if (!value.IsString) error = Fault.Type(value, "cannot be matched, as it is not a string");
        else if (pattern.StringOrNull is null) error = Fault.Type(pattern, "cannot be matched, as it is not a string");
        else if (!flags.IsNull && !flags.IsString) error = Fault.Type(flags, "is not a string");
        else if (pattern.AsString().Length > PatternLengthMax) error = Fault.Of($"Regex failure: longer than {PatternLengthMax} characters");
        if (error.IsSignal) return null;
        var text = value.AsString();
        var key = (pattern.AsString(), flags.StringOrNull ?? "", Surrogates.Any(text), m.Options.Limits.RegexTimeout);
        if (!Cache.TryGetValue(key, out var compiled))
        {
            if (Cache.Count >= CacheMax) Cache.Clear();
            Cache[key] = compiled = Compile(key);
        }
        if (compiled.Error is null) return compiled;
        error = Fault.Of(compiled.Error);
        return null;
    }

    private static Compiled Compile((string Pattern, string Flags, bool Astral, TimeSpan Timeout) key)
    {
        var options = RegexOptions.CultureInvariant;
        bool global = false, notEmpty = false;
        foreach (var flag in key.Flags)
        {
            switch (flag)
            {
                case 'g': global = true; break;
                case 'i': options |= RegexOptions.IgnoreCase; break;
                case 'x': options |= RegexOptions.IgnorePatternWhitespace; break;
                case 'm' or 'p': options |= RegexOptions.Singleline; break;
                case 'n': notEmpty = true; break;
                // `s` is how jq's syntax is set anyway; `l` has no counterpart, alternatives are tried in order.
                case 's' or 'l': break;
                default: return new(null, [], false, $"{key.Flags} is not a valid modifier string");
            }
        }
        try
        {
            var (pattern, names) = RegexTranslation.Translate(key.Pattern, options.HasFlag(RegexOptions.IgnorePatternWhitespace), key.Astral);
            // Not empty: what is left after the match differs from what was left before.
            if (notEmpty) pattern = $"(?=(?<_0>[\\s\\S]*))(?:{pattern}\n)(?!\\k<_0>\\z)".Replace("\n)", options.HasFlag(RegexOptions.IgnorePatternWhitespace) ? "\n)" : ")", StringComparison.Ordinal);
            return new(new Regex(pattern, options, key.Timeout), names, global, null);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            return new(null, [], false, $"Regex failure: {e.Message}");
        }
    }

    /// <summary>Offsets in code points of rising offsets in UTF-16.</summary>
    private struct Places(string text)
    {
        private readonly bool _plain = !Surrogates.Any(text);
        private int _at;
        private int _points;

        public int Of(int offset)
        {
            if (_plain) return offset;
            if (offset < _at) (_at, _points) = (0, 0);
            for (; _at < offset; _at++)
                if (!char.IsLowSurrogate(text[_at])) _points++;
            return _points;
        }
    }
}

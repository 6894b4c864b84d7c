namespace Millrace.Tidy.Tests;

/// <summary>A ratchet: past the stop size a file is split by noun, a method or component by step. The list of exceptions only shrinks.</summary>
public sealed class SizeTests
{
    /// <summary>What is longer, with the length it must not pass, and why beside it.</summary>
    private static readonly Dictionary<string, int> Exceptions = [];

    [Fact]
    public void Nothing_is_too_long_to_read_in_one_sitting() =>
        Assert.Empty(Sizes.Refused(Tree.Files.Where(f => !f.Contains(".gen.", StringComparison.Ordinal)).SelectMany(f => Sizes.Of(f, Tree.Lines(f))), Exceptions));

    [Fact]
    public void Many_methods_and_components_are_measured()
    {
        var measured = Tree.Files.SelectMany(f => Sizes.Of(f, Tree.Lines(f))).ToLookup(s => s.Max);
        Assert.True(measured[Sizes.Method].Count() > 1_500, $"{measured[Sizes.Method].Count()} methods found");
        Assert.True(measured[Sizes.Component].Count() > 100, $"{measured[Sizes.Component].Count()} components found");
    }

    [Theory]
    [InlineData("a.cs", 401)]
    [InlineData("a.ts", 301)]
    [InlineData("a.tsx", 301)]
    public void A_file_of_one_line_too_many_is_refused(string file, int lines)
    {
        Assert.Equal([$"{file} has {lines} lines, at most {lines - 1}"], Sizes.Refused(Sizes.Of(file, new string[lines].Select(_ => "").ToArray()), Nothing));
        Assert.Empty(Sizes.Refused(Sizes.Of(file, new string[lines - 1].Select(_ => "").ToArray()), Nothing));
    }

    [Theory]
    [InlineData("    public static async Task<Dictionary<string, int>> RunAsync<T>(string folder, int steps = 1)", "RunAsync")]
    [InlineData("    private static int Count(", "Count")]
    [InlineData("        internal void Nested()", "Nested")]
    public void A_method_of_one_line_too_many_is_refused(string head, string name)
    {
        var indent = head[..^head.TrimStart().Length];
        string[] Method(int lines) => ["class A", "{", head, $"{indent}{{", .. Enumerable.Repeat($"{indent}    if (a) {{ b(); }}", lines - 3), $"{indent}}}", "}"];
        Assert.Empty(Sizes.Refused(Sizes.Of("a.cs", Method(60)), Nothing));
        Assert.Equal([$"a.cs#{name} has 61 lines, at most 60"], Sizes.Refused(Sizes.Of("a.cs", Method(61)), Nothing));
    }

    [Theory]
    [InlineData("export function Page({ a, b }: Props) {")]
    [InlineData("function Page({\n  a,\n}: {\n  a: string\n}) {")]
    public void A_component_of_one_line_too_many_is_refused(string head)
    {
        string[] Component(int lines) => [.. head.Split('\n'), .. Enumerable.Repeat("  const a = 1", lines - 1 - head.Split('\n').Length), "}"];
        Assert.Empty(Sizes.Refused(Sizes.Of("a.tsx", Component(120)), Nothing));
        Assert.Equal(["a.tsx#Page has 121 lines, at most 120"], Sizes.Refused(Sizes.Of("a.tsx", Component(121)), Nothing));
    }

    [Fact]
    public void An_exception_holds_up_to_its_own_length_and_only_as_long_as_it_is_needed()
    {
        var exceptions = new Dictionary<string, int> { ["a.cs"] = 410 };
        Assert.Empty(Sizes.Refused([new Sized("a.cs", 410, 400)], exceptions));
        Assert.Equal(["a.cs has 411 lines, at most 410"], Sizes.Refused([new Sized("a.cs", 411, 400)], exceptions));
        Assert.Equal(["a.cs needs no exception any more"], Sizes.Refused([new Sized("a.cs", 400, 400)], exceptions));
        Assert.Equal(["a.cs needs no exception any more"], Sizes.Refused([], exceptions));
    }

    private static readonly Dictionary<string, int> Nothing = [];
}

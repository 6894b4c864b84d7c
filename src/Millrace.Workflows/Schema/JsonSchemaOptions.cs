using Millrace.Jq;

namespace Millrace.Workflows.Schema;

public sealed record JsonSchemaOptions
{
    public static readonly JsonSchemaOptions Default = new();

    /// <summary>Whether <c>format</c> refuses instances. Off, as in the draft: it is then an annotation only.</summary>
    public bool AssertFormats { get; init; }

    /// <summary>The documents that references may lead to, by absolute URI without fragment.</summary>
    public IReadOnlyDictionary<string, Json> Documents { get; init; } = new Dictionary<string, Json>();
}

/// <summary>What a schema and one validation may use.</summary>
public static class SchemaLimits
{
    /// <summary>JSON values in one schema document.</summary>
    public const int ValuesMax = 200_000;

    /// <summary>Nesting of one schema document.</summary>
    public const int NestingMax = 256;

    /// <summary>Characters of a regular expression, and of what it becomes once Unicode properties are written out.</summary>
    public const int PatternCharactersMax = 10_000;
    public const int PatternExpandedMax = 500_000;

    /// <summary>Schemas applied inside one another in one validation; a reference that leads back to itself ends here.</summary>
    public const int DepthMax = 2_000;

    /// <summary>Schemas applied in one validation.</summary>
    public const int StepsMax = 5_000_000;

    /// <summary>Time of one match, and of all matches of one validation.</summary>
    public const int RegexMs = 1_000;

    /// <summary>Digits of a number that arbitrary precision arithmetic works on.</summary>
    public const int DigitsMax = 10_000;

    public const int ErrorsMax = 1_000;

    /// <summary>Names that stand as <see cref="SchemaError.Keyword"/> where a limit was reached.</summary>
    public const string Depth = "limit.depth", Steps = "limit.steps", Regex = "limit.regex", Digits = "limit.digits";
}

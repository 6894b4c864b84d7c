using Millrace.Jq;
using Millrace.Workflows.Schema.Compilation;

namespace Millrace.Workflows.Schema.Keywords;

/// <summary>One compiled schema. Built once, then only read.</summary>
internal sealed class SchemaNode(Resource resource)
{
    /// <summary>The resource (<c>$id</c>) it belongs to: a step of the dynamic scope.</summary>
    public Resource Resource { get; } = resource;

    /// <summary>Set for the schemas <c>true</c> and <c>false</c>.</summary>
    public bool? Always { get; set; }

    /// <summary>Cheap keywords first; unevaluated* last, since they depend on all others.</summary>
    public Keyword[] Keywords { get; set; } = [];

    /// <summary>A keyword of this schema asks what its neighbours evaluated.</summary>
    public bool AsksEvaluated { get; set; }
}

/// <summary>One keyword of one schema, with its arguments compiled.</summary>
internal abstract class Keyword(string name)
{
    public string Name { get; } = name;

    /// <summary>True for unevaluated*: not worth asking once another keyword failed.</summary>
    public virtual bool IsLast => false;

    /// <summary>Refusing goes through <see cref="Evaluation.Fail"/>, so that the text is made only when somebody reads it.</summary>
    /// <param name="seen">Where to mark the members or items of <paramref name="value"/> that were evaluated; null when nobody asks.</param>
    public abstract bool Check(Json value, Evaluation run, Evaluated? seen);
}

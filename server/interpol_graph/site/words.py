"""The words of the pages themselves, in English and French; the graph's own words come from its labels."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    # navigation
    "site": ("INTERPOL graph", "Graphe INTERPOL"),
    "home": ("Home", "Accueil"),
    "questions": ("Questions", "Questions"),
    "browse": ("Browse", "Parcourir"),
    "dumps": ("Dumps", "Exports"),
    "ontology": ("Ontology", "Ontologie"),
    "validate": ("Validate", "Valider"),
    "skip": ("Skip to the content", "Aller au contenu"),
    "menu": ("Main", "Principal"),
    "language": ("Language of the labels", "Langue des libellés"),
    "search": ("Search", "Rechercher"),
    "search.label": ("Search by name", "Rechercher par nom"),
    "search.hint": ("a person, a place, an operation …", "une personne, un lieu, une opération…"),
    "independent": (
        "An independent project; not INTERPOL, nor endorsed by it.",
        "Un projet indépendant, qui n’est ni INTERPOL ni approuvé par elle.",
    ),
    "licence": ("Data:", "Données :"),
    "state": ("State of the graph", "État du graphe"),
    # home
    "home.lead": (
        "An open knowledge graph of the International Criminal Police Organization: who led it, where it "
        "met, what it decided and what its operations achieved. Every statement cites its document.",
        "Un graphe de connaissances ouvert sur l’Organisation internationale de police criminelle : qui l’a "
        "dirigée, où elle s’est réunie, ce qu’elle a décidé et ce que ses opérations ont obtenu. "
        "Chaque énoncé cite son document.",
    ),
    "home.counts": ("What it holds", "Ce qu’il contient"),
    "home.ways": ("Ways in", "Par où entrer"),
    "home.questions": (
        "saved questions, each a page, an API and a SPARQL query",
        "questions prêtes : une page, une API et une requête SPARQL chacune",
    ),
    "home.browse": ("every entity, class by class", "toutes les entités, classe par classe"),
    "home.sparql": ("the endpoint, with an editor", "le point d’accès, avec un éditeur"),
    "home.dumps": (
        "the whole graph, or one subject of it, as files",
        "le graphe entier, ou un seul de ses sujets, en fichiers",
    ),
    "home.ontology": (
        "the classes, properties and concepts, each defined",
        "les classes, propriétés et concepts, chacun défini",
    ),
    "statements": ("statements", "énoncés"),
    # browse and search
    "browse.lead": (
        "The classes of the graph and how many entities each has.",
        "Les classes du graphe et le nombre d’entités de chacune.",
    ),
    "browse.none": ("The graph holds no entity yet.", "Le graphe ne contient encore aucune entité."),
    "browse.empty": (
        "Nothing with an address of its own is of this class.",
        "Rien qui ait sa propre adresse n’est de cette classe.",
    ),
    "class": ("Class", "Classe"),
    "entities": ("Entities", "Entités"),
    "entity": ("Entity", "Entité"),
    "previous": ("Previous", "Précédent"),
    "next": ("Next", "Suivant"),
    "page": ("Page", "Page"),
    "search.none": ("Nothing is called {q}.", "Rien ne s’appelle {q}."),
    "search.cut": (
        "The first {n} of more results; add a word to see fewer.",
        "Les {n} premiers résultats, il y en a d’autres ; ajoutez un mot.",
    ),
    "search.found": ("Results: {n}", "Résultats : {n}"),
    # entity pages
    "facts": ("Facts", "Faits"),
    "property": ("Property", "Propriété"),
    "value": ("Value", "Valeur"),
    "inferred": ("inferred from", "déduit de"),
    "derived": ("Derived by rule", "Établi par règle"),
    "disagreement": ("Another source says:", "Une autre source indique :"),
    "disagreements": (
        "Sources disagree on {n} of these facts; see the marked rows.",
        "Les sources divergent sur {n} de ces faits ; voir les lignes signalées.",
    ),
    "figures": ("Figures", "Chiffres"),
    "measure": ("Measure", "Mesure"),
    "unit": ("Unit", "Unité"),
    "date": ("Date", "Date"),
    "sources": ("Documents", "Documents"),
    "supports": ("for", "pour"),
    "paragraph": ("paragraph", "paragraphe"),
    "paragraphs": ("paragraphs", "paragraphes"),
    "links": ("Linked from", "Liens depuis le graphe"),
    "more": ("All {n}, as a query", "Les {n}, par une requête"),
    "formats": ("This page as data:", "Cette page en données :"),
    "show": ("Show all {n}", "Afficher les {n}"),
    "defined": ("Definition", "Définition"),
    "true": ("yes", "oui"),
    "false": ("no", "non"),
    # dumps
    "dumps.lead": (
        "Files to download; they can be resumed, and equal content always gives equal bytes.",
        "Fichiers à télécharger ; la reprise est possible et un même contenu donne les mêmes octets.",
    ),
    "dumps.whole": ("The whole graph", "Le graphe entier"),
    "dumps.graphs": ("Named graphs", "Graphes nommés"),
    "dumps.sums": ("Checksums of all files", "Sommes de contrôle de tous les fichiers"),
    "dumps.note": (
        "Files of triples hold the union of all graphs but the shapes; TriG and N-Quads hold every graph by name.",
        "Les fichiers de triplets contiennent l’union de tous les graphes sauf les formes ; TriG et N-Quads "
        "contiennent chaque graphe sous son nom.",
    ),
    "file": ("File", "Fichier"),
    "format": ("Format", "Format"),
    "size": ("Size", "Taille"),
    "graph": ("Graph", "Graphe"),
    "unmade": ("made when asked for", "produit à la demande"),
    # questions and the editor
    "questions.lead": (
        "Questions that the graph answers. Each is also an API and a query to start from.",
        "Des questions auxquelles le graphe répond. Chacune est aussi une API et une requête à reprendre.",
    ),
    "questions.none": ("No question is saved yet.", "Aucune question n’est encore enregistrée."),
    # first tags of the questions; one that is not here is shown as it is
    "tag.bureaus": ("National Central Bureaus", "Bureaux centraux nationaux"),
    "tag.elections": ("Elections", "Élections"),
    "tag.events": ("Events", "Événements"),
    "tag.figures": ("Figures", "Chiffres"),
    "tag.finance": ("Finance", "Finances"),
    "tag.law": ("Law", "Droit"),
    "tag.links": ("Links to other datasets", "Liens vers d’autres jeux de données"),
    "tag.mandates": ("Mandates", "Mandats"),
    "tag.members": ("Members", "Membres"),
    "tag.notices": ("Notices", "Notices"),
    "tag.ontology": ("The ontology", "L’ontologie"),
    "tag.operations": ("Operations", "Opérations"),
    "tag.organisations": ("Organisations", "Organisations"),
    "tag.organs": ("Organs", "Organes"),
    "tag.persons": ("Persons", "Personnes"),
    "tag.places": ("Places", "Lieux"),
    "tag.programmes": ("Programmes", "Programmes"),
    "tag.publications": ("Publications", "Publications"),
    "tag.search": ("Search", "Recherche"),
    "tag.sessions": ("Sessions", "Sessions"),
    "tag.sources": ("Documents and gaps", "Documents et lacunes"),
    "tag.statements": ("Statements", "Déclarations"),
    "tag.systems": ("Systems", "Systèmes"),
    "tag.time": ("Time", "Temps"),
    "ask": ("Ask", "Demander"),
    "answer": ("Answer", "Réponse"),
    "answer.none": ("No row answers this query.", "Aucune ligne ne répond à cette requête."),
    "rows": ("Rows: {n}", "Lignes : {n}"),
    "rows.cut": (
        "The first {shown} of {n} rows are shown;",
        "Les {shown} premières des {n} lignes sont affichées ;",
    ),
    "rows.whole": ("take the whole answer as CSV", "prenez la réponse entière en CSV"),
    "answer.large": (
        "The answer is too large to be shown on a page; take it whole:",
        "La réponse est trop longue pour être affichée ; prenez-la entière :",
    ),
    "text.cut": (
        "The first {n} characters are shown; the links below give the whole answer.",
        "Les {n} premiers caractères sont affichés ; les liens ci-dessous donnent la réponse entière.",
    ),
    "download": ("The same answer as", "La même réponse en"),
    "query": ("Query", "Requête"),
    "query.open": ("Open in the editor", "Ouvrir dans l’éditeur"),
    "query.raw": ("The file", "Le fichier"),
    "code": ("From your own program", "Depuis votre programme"),
    "run": ("Run", "Exécuter"),
    # validation
    "validate.lead": (
        "Paste Turtle: the ontology, the shapes and the checks of this graph are applied to it, and every finding points "
        "at its line. The statements are judged alone, without the rest of the graph, and are not kept.",
        "Collez du Turtle : l’ontologie, les formes et les contrôles de ce graphe lui sont appliqués, et chaque constat "
        "indique sa ligne. Les énoncés sont jugés seuls, sans le reste du graphe, et ne sont pas conservés.",
    ),
    "validate.text": ("Statements in Turtle", "Énoncés en Turtle"),
    "validate.limit": ("{n} KiB at most", "{n} Kio au plus"),
    "validate.as": ("Report", "Rapport"),
    "validate.here": ("On this page", "Sur cette page"),
    "validate.findings": ("Findings", "Constats"),
    "validate.none": (
        "Nothing to say: the statements follow every rule.",
        "Rien à signaler : les énoncés respectent toutes les règles.",
    ),
    "validate.errors": ("{n} errors", "{n} erreurs"),
    "validate.errors.one": ("1 error", "1 erreur"),
    "validate.warnings": ("{n} warnings", "{n} avertissements"),
    "validate.warnings.one": ("1 warning", "1 avertissement"),
    "validate.cut": ("The first {shown} of {n} are shown.", "Les {shown} premiers sur {n} sont affichés."),
    "validate.line": ("line {line}, column {column}", "ligne {line}, colonne {column}"),
    "validate.whole": ("in the whole", "dans l’ensemble"),
    "validate.lines": ("The statements, line by line", "Les énoncés, ligne par ligne"),
    "validate.elsewhere": (
        "Programs post Turtle to this address and get JSON, SARIF, JUnit XML, Turtle or text; on your own machine, "
        "interpol-graph validate does the same for files and folders.",
        "Les programmes envoient du Turtle à cette adresse et reçoivent du JSON, du SARIF, du JUnit XML, du Turtle ou du "
        "texte ; sur votre machine, interpol-graph validate fait de même pour des fichiers et des dossiers.",
    ),
    "severity.error": ("error", "erreur"),
    "severity.warning": ("warning", "avertissement"),
    "severity.info": ("note", "note"),
    "editor.lead": (
        "SPARQL 1.1 over the whole graph; the prefixes below may be left out.",
        "SPARQL 1.1 sur tout le graphe ; les préfixes ci-dessous peuvent être omis.",
    ),
    "editor.examples": ("Questions to start from", "Questions pour commencer"),
    "editor.here": ("Table on this page", "Tableau sur cette page"),
    "editor.prefixes": ("Prefixes that are known here", "Préfixes connus ici"),
    "editor.keys": ("Ctrl+Enter runs it.", "Ctrl+Entrée l’exécute."),
    "error.line": ("line {line}, column {column}", "ligne {line}, colonne {column}"),
    "seconds": ("{n} ms", "{n} ms"),
    # the ontology
    "ontology.lead": (
        "Every class, property and concept that the graph uses, with its definition.",
        "Chaque classe, propriété et concept du graphe, avec sa définition.",
    ),
    "classes": ("Classes", "Classes"),
    "properties": ("Properties", "Propriétés"),
    "concepts": ("Concepts", "Concepts"),
    "broader": ("kind of", "sorte de"),
    "example": ("Example:", "Exemple :"),
    "uses": ("In the graph", "Dans le graphe"),
    # errors
    "error.known": ("Known here", "Connus ici"),
    "error.similar": ("Perhaps you meant", "Peut-être cherchiez-vous"),
    # properties of other vocabularies, which carry no label in the graph
    "skos:altLabel": ("also called", "autre nom"),
    "skos:prefLabel": ("preferred name", "nom préféré"),
    "skos:broader": ("kind of", "sorte de"),
    "skos:notation": ("code", "code"),
    "skos:definition": ("definition", "définition"),
    "skos:topConceptOf": ("at the top of the scheme", "au sommet du schéma"),
    "skos:inScheme": ("in the scheme", "dans le schéma"),
    "skos:exactMatch": ("same concept elsewhere", "même concept ailleurs"),
    "owl:sameAs": ("same thing elsewhere", "même chose ailleurs"),
    "rdfs:seeAlso": ("see also", "voir aussi"),
    "rdfs:isDefinedBy": ("defined by", "défini par"),
    "rdfs:label": ("name", "nom"),
    "rdf:type": ("class", "classe"),
    "dcterms:title": ("title", "titre"),
    "dcterms:publisher": ("publisher", "éditeur"),
    "dcterms:date": ("date", "date"),
    "dcterms:identifier": ("identifier", "identifiant"),
    "dcterms:language": ("language", "langue"),
    "schema:url": ("address", "adresse"),
}

# fmt: off
MONTHS = {
    "en": ("January", "February", "March", "April", "May", "June",
           "July", "August", "September", "October", "November", "December"),
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin",
           "juillet", "août", "septembre", "octobre", "novembre", "décembre"),
}
# fmt: on


def word(key: str, language: str = "en", **values: object) -> str:
    """Return one of the pages' own phrases, in French or else in English, with its values filled in."""
    return WORDS[key][language == "fr"].format(**values) if values else WORDS[key][language == "fr"]


def day(text: str, language: str = "en") -> str:
    """Return an xsd:date, gYearMonth or gYear in words, as precise as it is.

    >>> day("2015-11-02"), day("2015-11"), day("1914"), day("1914-04-01", "fr")
    ('2 November 2015', 'November 2015', '1914', '1er avril 1914')
    """
    year, *rest = text.split("-") if not text.startswith("-") else [text]
    if not rest or not all(part.isdigit() for part in rest) or not 1 <= int(rest[0]) <= 12:
        return text
    words = [MONTHS["fr" if language == "fr" else "en"][int(rest[0]) - 1], year]
    if len(rest) > 1:
        words.insert(0, "1er" if language == "fr" and rest[1] == "01" else str(int(rest[1])))
    return " ".join(words)


def number(text: str, language: str = "en") -> str:
    """Return a number with its thousands set apart, digits untouched.

    >>> number("7700"), number("1234567.50", "fr"), number("-4.00167")
    ('7,700', '1\\u202f234\\u202f567,50', '-4.00167')
    """
    whole, dot, rest = text.partition(".")
    if not whole.lstrip("+-").isdigit():
        return text
    grouped = f"{int(whole):,}" if abs(int(whole)) >= 1000 else whole
    if language == "fr":
        return grouped.replace(",", "\u202f") + dot.replace(".", ",") + rest
    return grouped + dot + rest
